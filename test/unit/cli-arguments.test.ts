import { EventEmitter } from 'node:events'
import t from 'tap'
import { withoutKnown } from '#cli/commands/log.js'
import { reached } from '#cli/commands/scale.js'
import { withLog } from '#cli/config.js'
import { choose } from '#cli/find.js'
import { parseInspect, withInspectAddress } from '#cli/inspect-address.js'
import { aStatus } from './cli-kit.js'

const shop = { name: 'shop', pid: 10, folder: '/run/a' }
const old = { name: 'shop', pid: 11, folder: '/run/b' }
const blog = { name: 'blog', pid: 12, folder: '/run/c' }

t.test('the cluster that is meant', async (t) => {
  t.equal(choose([shop], {}), shop)
  t.equal(choose([shop, blog], { name: 'blog' }), blog)
  t.equal(choose([shop, old, blog], { pid: 11 }), old)
  t.equal(choose([shop, old, blog], { name: 'shop', pid: 10 }), shop)
})

t.test('which one is meant is not known', async (t) => {
  t.throws(() => choose([], {}), { code: 'MAPACHE_CLUSTER_NOT_FOUND', clusters: [] })
  t.throws(() => choose([shop, blog], { name: 'chat' }), {
    code: 'MAPACHE_CLUSTER_NOT_FOUND',
    message: /no cluster with name chat runs; these do:\n {2}NAME +PID\n {2}shop +10\n {2}blog +12$/
  })
  t.throws(() => choose([shop], { name: 'shop', pid: 1 }), { message: /no cluster with name shop and pid 1 runs/ })
  t.throws(() => choose([shop, blog], {}), {
    code: 'MAPACHE_CLUSTER_AMBIGUOUS',
    message: /2 clusters run: choose one with --name NAME or --pid PID\n/,
    clusters: [
      { name: 'shop', pid: 10 },
      { name: 'blog', pid: 12 }
    ]
  })
  t.throws(() => choose([shop, old, blog], { name: 'shop' }), {
    code: 'MAPACHE_CLUSTER_AMBIGUOUS',
    message: /2 clusters run: choose one with --pid PID\n {2}NAME +PID\n {2}shop +10\n {2}shop +11$/
  })
})

t.test('what the flags say of the log wins over the config', async (t) => {
  t.strictSame(withLog(undefined, {}), {})
  t.strictSame(withLog('warn', {}), 'warn')
  t.strictSame(withLog('warn', { format: 'json' }), { level: 'warn', format: 'json' })
  t.strictSame(withLog({ level: 'warn', format: 'line' }, { level: 'debug' }), { level: 'debug', format: 'line' })
  t.strictSame(withLog(false, { level: 'debug' }), { level: 'debug' })
  class Logger {}
  t.strictSame(withLog(new Logger() as never, { level: 'debug' }), { level: 'debug' })
})

t.test('--inspect alone has an address, and takes none from what follows', async (t) => {
  const takesValue = (arg: string) => arg === '--name'
  const written = (...args: string[]) => withInspectAddress(args, takesValue)
  t.strictSame(written('--inspect', 'a.js'), ['--inspect=127.0.0.1:9229', 'a.js'])
  t.strictSame(written('--name', 'x', '--inspect', 'a.js'), ['--name', 'x', '--inspect=127.0.0.1:9229', 'a.js'])
  t.strictSame(written('--inspect=1', 'a.js'), ['--inspect=1', 'a.js'])
  t.strictSame(written('a.js', '--inspect'), ['a.js', '--inspect'])
  t.strictSame(written('--', 'a.js', '--inspect'), ['--', 'a.js', '--inspect'])
  t.strictSame(written('--name', '--inspect', 'a.js'), ['--name', '--inspect', 'a.js'])
  t.strictSame(parseInspect('9230'), { host: '127.0.0.1', port: 9230 })
  t.strictSame(parseInspect('0.0.0.0:1'), { host: '0.0.0.0', port: 1 })
  t.throws(() => parseInspect('x'), { code: 'MAPACHE_OPTION_INVALID' })
  t.throws(() => parseInspect('65536'), { code: 'MAPACHE_OPTION_INVALID' })
})

t.test('a line of the log that came both ways is printed once', async (t) => {
  const linesOf = (text: string) => [...text].map((message) => ({ time: 1, level: 'info' as const, message }))
  const shown: [early: string, known: string, after: string, why: string][] = [
    ['', 'ab', '', 'nothing came'],
    ['cd', 'ab', 'cd', 'all of them are new'],
    ['bc', 'ab', 'c', 'the last that is known came both ways'],
    ['abc', 'ab', 'c', 'all that are known did'],
    ['bb', 'ab', 'b', 'said twice in one millisecond, printed twice'],
    ['bb', 'b', 'b', 'the same when one line was wanted'],
    ['bb', 'bb', '', 'and not four times'],
    ['aba', 'xab', 'a', 'what was said before may be said again'],
    ['abcd', 'c', 'd', 'what came before the last line was not wanted'],
    ['ab', '', 'ab', 'no old line was wanted']
  ]
  for (const [early, known, after, why] of shown) {
    t.strictSame(withoutKnown(linesOf(early), linesOf(known)), linesOf(after), why)
  }
  const [line] = linesOf('a')
  if (!line) throw new Error('there is none')
  const others = [
    { ...line, time: 2 },
    { ...line, level: 'warn' as const },
    { ...line, error: 'Error: x' }
  ]
  t.strictSame(withoutKnown(others, [line]), others)
})

t.test('scale looks again when something happens, and leaves nothing behind', async (t) => {
  const cluster = new EventEmitter()
  let looks = 0
  let asked = 0
  const fake = Object.assign(cluster, {
    get closed() {
      asked += 1
      return new Promise<void>(() => {})
    },
    status: async () => {
      looks += 1
      // It happens before the answer is there.
      cluster.emit('worker:serving')
      return aStatus({ target: 50, serving: looks })
    }
  })
  const started = performance.now()
  await reached(fake as never, 50, () => undefined)
  t.equal(looks, 50)
  t.ok(performance.now() - started < 5_000, 'none of the looks waited for its time')
  t.equal(asked, 1)
  t.strictSame(cluster.eventNames(), [])

  const failing = Object.assign(cluster, { status: async () => aStatus({ target: 3, serving: 2, waiting: 1 }) })
  const cause = new Error('no database')
  await t.rejects(
    reached(failing as never, 3, () => cause),
    { code: 'MAPACHE_BOOT_FAILED', cause }
  )
  await t.rejects(
    reached(failing as never, 4, () => cause),
    { code: 'MAPACHE_RELOAD_SUPERSEDED' }
  )
  t.strictSame(cluster.eventNames(), [])
})

t.test('a wait for workers ends with the supervisor', async (t) => {
  let go = () => {}
  const closed = new Promise<void>((resolve) => {
    go = resolve
  })
  let looks = 0
  const status = async () => {
    looks += 1
    if (looks > 1) throw new Error('it has gone')
    go()
    return aStatus({ target: 3 })
  }
  const cluster = Object.assign(new EventEmitter(), { closed, status })
  await t.rejects(
    reached(cluster as never, 3, () => undefined),
    { message: 'it has gone' }
  )
})
