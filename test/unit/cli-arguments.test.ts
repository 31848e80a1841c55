import t from 'tap'
import { withoutKnown } from '#cli/commands/log.js'
import { withLog } from '#cli/config.js'
import { choose } from '#cli/find.js'
import { parseInspect, withInspectAddress } from '#cli/inspect-address.js'

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
  const line = (time: number, message: string) => ({ time, level: 'info' as const, message })
  t.strictSame(withoutKnown([line(2, 'b'), line(3, 'c')], [line(1, 'a'), line(2, 'b')]), [line(3, 'c')])
  t.strictSame(withoutKnown([line(2, 'b'), line(2, 'b')], [line(2, 'b')]), [line(2, 'b')], 'said twice, printed twice')
})
