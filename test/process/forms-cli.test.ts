import { connect } from 'node:net'
import t from 'tap'
import { get, until } from '../support/fixture.js'
import { askAll, everyWorker, type ServeOptions, serve } from '../support/serve.js'

const CLI = ['-w', '2', '--settle', '50']

const entries: [what: string, script: string, ...args: string[]][] = [
  ['a plain server in ESM', 'plain.mjs', 'one'],
  ['a plain server in CommonJS', 'plain.cjs'],
  ['mapacheExpress of a function', 'forms.mjs', 'express', 'sync', './apps/express.mjs'],
  ['mapacheFastify of a function', 'forms.mjs', 'fastify', 'async', './apps/fastify.mjs'],
  ['mapacheHttp of a function', 'forms.mjs', 'http', 'async', './apps/http.mjs'],
  ['mapacheExpress of a module', 'forms.mjs', 'express', 'module', './serve/apps/express.mjs'],
  ['mapacheFastify of a module by URL', 'forms.mjs', 'fastify', 'url', './apps/fastify.mjs'],
  ['a module that was compiled to CommonJS', 'forms.mjs', 'express', 'module', './serve/apps/compiled.cjs'],
  ['fastify.register in ESM', 'register.mjs', 'await'],
  ['fastify.register with a callback', 'register.mjs', 'callback'],
  ['fastify.register without waiting', 'register.mjs', 'unawaited'],
  ['fastify.register in another plugin', 'register.mjs', 'scope'],
  ['fastify.register of an older instance', 'register.mjs', 'older'],
  ['fastify.register in CommonJS', 'register.cjs', 'then'],
  ['fastify.register in CommonJS with a callback', 'register.cjs', 'callback'],
  ['fastify.register of an older instance in CommonJS', 'register.cjs', 'older']
]
for (const [what, script, ...args] of entries) {
  t.test(`mapache start runs ${what}: in the workers alone`, async (t) => {
    const { fixture } = serve(t, script, { cli: CLI, args })
    const pids = await fixture.workersServing(2)
    const answers = await askAll(fixture, 2)
    t.strictSame([...answers.keys()].sort(), pids.sort())
    t.notMatch(fixture.output, new RegExp(`^(loaded|built) ${fixture.pid}$`, 'm'))
    for (const pid of pids) await fixture.printed(new RegExp(`^(loaded|built) ${pid}$`, 'm'))
    fixture.kill('SIGTERM')
    t.strictSame(await fixture.exit(), { code: 0, signal: null })
    if (script.startsWith('register')) {
      for (const pid of pids) await fixture.printed(new RegExp(`^closed ${pid}$`, 'm'))
    }
  })
}

t.test('mapache start runs an instance with HTTPS options, and a module that exports its server', async (t) => {
  const runs: [script: string, ...args: string[]][] = [
    ['register.mjs', 'https'],
    ['forms.mjs', 'express', 'module', './serve/apps/https.mjs']
  ]
  for (const [script, ...args] of runs) {
    const { fixture } = serve(t, script, { cli: CLI, args })
    const port = await fixture.port()
    t.equal((await everyWorker(2, () => get({ host: '127.0.0.1', port, protocol: 'https:' }))).size, 2)
  }
})

t.test('what follows the entry is the entry’s own, whatever it looks like', async (t) => {
  const cases: [options: ServeOptions, args: unknown[]][] = [
    [{ cli: CLI, args: ['one', '--workers', '7', '-v', 'a b', ''] }, ['one', '--workers', '7', '-v', 'a b', '']],
    [{ cli: [...CLI, '--'], args: ['--help'] }, ['--help']]
  ]
  for (const [options, args] of cases) {
    const { fixture } = serve(t, 'plain.mjs', options)
    for (const answer of (await askAll(fixture, 2)).values()) t.strictSame(answer.args, args)
    await fixture.printed(/workers=2;/)
  }
})

t.test('an entry that listens on two ports has both served by all workers, on a reload too', async (t) => {
  const { fixture } = serve(t, 'plain.mjs', { cli: CLI, args: ['two'] })
  const old = await fixture.workersServing(2)
  const ports = (await fixture.serving()).map((address) => Number(address.split(':')[1]))
  t.equal(new Set(ports).size, 2)
  const names = async () => {
    const all: unknown[] = []
    for (const port of ports) {
      const answers = await everyWorker(2, () => get(port))
      all.push(new Set([...answers.values()].map(({ name }) => name)))
    }
    return all
  }
  t.strictSame(await names(), [new Set(['first']), new Set(['second'])])
  fixture.kill('SIGHUP')
  await fixture.printed(/reloaded: gen=2 serves/)
  await until(
    () => fixture.log.filter(({ msg }) => /exited \(reload\)/.test(msg)).length === old.length,
    'the old gone'
  )
  t.strictSame(await names(), [new Set(['first']), new Set(['second'])])
})

t.test('a server that the entry opens later is shared by all workers, and kept over reloads', async (t) => {
  const { fixture } = serve(t, 'plain.mjs', { cli: CLI, args: ['late'] })
  const first = await fixture.port()
  let old = await fixture.workersServing(2)
  await everyWorker(2, () => get(first))
  const [, text] = await fixture.printed(/^second of \d+ on (\d+)$/m)
  const second = Number(text)
  for (const generation of [1, 2, 3]) {
    if (generation > 1) {
      const gone = old
      fixture.kill('SIGHUP')
      await fixture.printed(new RegExp(`reloaded: gen=${generation} serves`))
      await until(() => gone.every((pid) => fixture.output.includes(`pid=${pid} exited`)), 'the old workers gone')
      old = await fixture.workersServing(2)
      await everyWorker(2, () => get(first))
    }
    for (const pid of old) await fixture.printed(new RegExp(`^second of ${pid} on ${second}$`, 'm'))
    t.equal((await everyWorker(2, () => get(second))).size, 2, `both of generation ${generation}`)
  }
})

t.test('an entry may listen on a port that it is told, again and again', async (t) => {
  const { fixture } = serve(t, 'plain.mjs', { cli: CLI, args: ['one'] })
  const port = await fixture.port()
  t.equal((await get(port)).status, 200)
  // A client of before is still connected: its connection must not keep the port from those who come after.
  const lingering = connect(port, '127.0.0.1').on('error', () => {})
  t.teardown(() => lingering.destroy())
  fixture.kill('SIGTERM')
  await fixture.exit()
  const { fixture: next } = serve(t, 'plain.mjs', { cli: CLI, args: ['one'], env: { PORT: String(port) } })
  t.equal(await next.port(), port)
  t.equal((await askAll(next, 2)).size, 2)
})
