import t from 'tap'
import { canaryLines } from '#cli/canary-lines.js'
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

t.test('a canary is told of, when it soaks, is good, and is worse', async (t) => {
  const progress = new Progress('reload', 0)
  const side = { requests: 1, errors: 0, errorRate: 0, aborted: 0, crashes: 0 }
  const canary = { soak: 30_000, elapsed: 12_000, enough: false, canary: side, old: { ...side, requests: 7 } }
  t.equal(
    progress.take({ name: 'reload:soaking', data: { generation: 2, soak: 30_000 } }),
    'generation 2 has a canary, which is compared for 30s'
  )
  t.equal(
    progress.take({ name: 'reload:soaked', data: { generation: 2, canary } }),
    'too little traffic to judge the canary by: 1 answer, 0 errors'
  )
  t.equal(
    progress.take({ name: 'reload:soaked', data: { generation: 2, canary: { ...canary, enough: true } } }),
    'the canary is good: 1 answer, 0 errors'
  )
  const rolledBack = { generation: 2, to: 1, crashes: 3, error: new Error('no') }
  t.equal(
    progress.take({ name: 'reload:rolledback', data: { ...rolledBack, canary } }),
    'the canary of generation 2 was worse: 1 serves on'
  )
  t.equal(
    progress.take({ name: 'reload:rolledback', data: rolledBack }),
    'generation 2 loses its workers: going back to 1'
  )
  const roll = { generation: 2, kind: 'reload', phase: 'soaking', canary } as const
  t.equal(
    statusLines(aStatus({ roll }), look, 0)[2],
    'reload to generation 2: soaking, 18s left, 1 answer of the canary, 0 of them errors'
  )
})

t.test('the figures of a canary are a table', async (t) => {
  const old = {
    requests: 1_000,
    errors: 2,
    errorRate: 0.002,
    aborted: 3,
    p50: 4.25,
    p99: 120.4,
    delay: 0.1,
    crashes: 0
  }
  const canary = { requests: 20_000, errors: 400, errorRate: 0.02, aborted: 0, crashes: 1 }
  const lines = canaryLines({ soak: 1, elapsed: 1, enough: true, canary, old })
  t.strictSame(lines, [
    '             ANSWERS  ERRORS  SHARE  BROKEN OFF    P50    P99  LOOP DELAY  CRASHES',
    'canary           20k     400     2%           0      -      -           -        1',
    'old workers     1000       2    <1%           3  4.3ms  120ms       0.1ms        0'
  ])
  t.match(canaryLines({ soak: 1, elapsed: 1, enough: false, canary, old })[3], /^Too little traffic: /)
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
