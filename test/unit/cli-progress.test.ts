import t from 'tap'
import { makeLook } from '#cli/look.js'
import { Progress } from '#cli/progress/progress.js'
import { statusLines } from '#cli/status-lines.js'
import { aProcess, aStatus, MIB, vitals } from './cli-kit.js'

const look = makeLook(false)

t.test('each step of a roll is a line, in the words of the log', async (t) => {
  const progress = new Progress('reload', 0)
  const fresh = aProcess(3, { generation: 2, state: 'launching', age: 0 })
  const exit = {
    ...aProcess(1, { state: 'exited' }),
    reason: 'reload',
    code: 0,
    signal: null,
    drained: undefined
  } as const
  t.equal(
    progress.take({ name: 'reload:start', data: { generation: 2, kind: 'reload' } }),
    'reload to generation 2 begins'
  )
  t.equal(progress.take({ name: 'worker:launch', data: fresh }), 'worker=3 gen=2 pid=4003 launched')
  t.equal(
    progress.take({ name: 'worker:ready', data: { ...fresh, state: 'ready', age: 420 } }),
    'worker=3 gen=2 pid=4003 ready after 420ms'
  )
  t.equal(progress.take({ name: 'worker:vitals', data: fresh }), undefined)
  const service = aProcess(9, { role: 'service', name: 'shell/server' })
  t.equal(progress.take({ name: 'service:serving', data: service }), 'service=shell/server gen=1 pid=4009 serving')
  t.equal(
    progress.take({ name: 'worker:exit', data: { ...exit, failed: false } }),
    'worker=1 gen=1 pid=4001 exited (reload)'
  )
  t.equal(
    progress.take({ name: 'worker:exit', data: { ...exit, failed: true, reason: 'crash', code: 7 } }),
    'worker=1 gen=1 pid=4001 ended (crash, code 7)'
  )
  t.equal(
    progress.take({
      name: 'worker:exit',
      data: { ...exit, failed: true, reason: 'hung', code: null, signal: 'SIGKILL' }
    }),
    'worker=1 gen=1 pid=4001 ended (hung, SIGKILL)'
  )
  const done = { name: 'reload:done', data: { generation: 2, duration: 2_345 } } as const
  t.equal(progress.take(done), undefined, 'the reload itself says so')
  t.equal(new Progress('scale', 0).take(done), 'generation 2 serves after 2.3s')
  const killed = { ...exit, failed: false, code: null, signal: 'SIGKILL' }
  t.match(progress.take({ name: 'worker:exit', data: killed }), /exited \(reload, SIGKILL\)$/)
})

t.test('the block has what happens now, and what has left no more', async (t) => {
  const progress = new Progress('reload', 1_000)
  progress.take({ name: 'reload:start', data: { generation: 2, kind: 'reload' } })
  progress.take({ name: 'worker:launch', data: aProcess(12, { generation: 2, state: 'launching', pid: undefined }) })
  const leaving = aProcess(1, { state: 'retiring', vitals: vitals(9, { inFlight: 1 }) })
  progress.take({ name: 'worker:retire', data: { ...leaving, reason: 'reload' } })
  t.strictSame(progress.block(3_500, '*', look, 23), [
    '*  reload  reload to generation 2 begins  2.5s',
    '  worker   1  gen 1  retiring   pid 4001  1 request',
    '  worker  12  gen 2  launching'
  ])
  const exit = { failed: false, reason: 'reload', code: 0, signal: null, drained: undefined } as const
  progress.take({ name: 'worker:exit', data: { ...leaving, ...exit, state: 'exited' } })
  t.equal(progress.block(3_500, '*', look, 23).length, 2)
  for (let id = 20; id < 60; id += 1) progress.take({ name: 'worker:serving', data: aProcess(id) })
  const long = progress.block(3_500, '*', look, 10)
  t.equal(long.length, 10)
  t.match(long[1], '… and 33 more')
  t.match(long.at(-1), /^ {2}worker {2}59 /)
})

t.test('a status for people', async (t) => {
  const status = aStatus({
    target: 3,
    waiting: 1,
    rollback: 1,
    generation: 2,
    roll: { generation: 3, kind: 'reload', phase: 'settling' },
    processes: [
      aProcess(9, { role: 'mold', vitals: undefined, memory: undefined }),
      aProcess(8, { role: 'service', name: 'shell/server', vitals: undefined }),
      aProcess(2, { state: 'ready', memory: undefined, vitals: vitals(0, { rss: 70 * MIB }) }),
      aProcess(1, { vitals: vitals(12_345, { inFlight: 3, utilisation: 0.5 }), failures: 2 }),
      aProcess(3, { state: 'retiring', reason: 'reload', pid: undefined, vitals: undefined })
    ]
  })
  t.strictSame(statusLines(status, look, 90_000), [
    'shop  pid 4000  generation 2  2/3 workers serve  up 1m 30s  mapache 1.2.3',
    'listens on 127.0.0.1:3000; can go back to generation 1',
    'reload to generation 3: settling',
    '1 worker waits to be launched again after failures; see mapache log',
    '',
    'ID  ROLE          STATE              GEN    AGE  REQUESTS  IN FLIGHT  LOOP  MEMORY  OWN   PID  FAILURES',
    ' 1  worker        serving              1  1m 1s       12k          3   50%     50M  20M  4001         2',
    ' 2  worker        spare                1  1m 1s         0          0    0%     70M    -  4002         0',
    ' 3  worker        retiring (reload)    1  1m 1s         -          -     -     50M  20M     -         0',
    ' 8  shell/server  serving              1  1m 1s         -          -     -     50M  20M  4008         0',
    ' 9  mold          serving              1  1m 1s         -          -     -       -    -  4009         0'
  ])
  t.match(
    statusLines(aStatus({ name: 'a\x1b[2Jb', addresses: [], stopping: true }), look, 0).join('\n'),
    /^ab {2}.*\ndoes not listen yet\nit is stopping\n/
  )
  const evil = 'a\x1b[2J\u009b31mb\nc'
  const foreign = aStatus({ version: evil, addresses: [{ address: evil, family: 'IPv4', port: 80 }, { path: evil }] })
  t.match(statusLines(foreign, look, 0)[0], /mapache ab c$/)
  t.equal(statusLines(foreign, look, 0)[1], 'listens on ab c:80, ab c')
  const where = aStatus({ addresses: [{ path: '/run/a.sock' }, { address: '::1', family: 'IPv6', port: 80 }] })
  t.match(statusLines(where, look, 0)[1], 'listens on /run/a.sock, [::1]:80')
})
