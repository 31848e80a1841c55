import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { ForkingApp } from '../support/forking.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

const OPEN: Record<string, { load: string; says: RegExp }> = {
  'a connection': {
    load: `import net from 'node:net'
const server = net.createServer()
await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, resolve))
await new Promise((resolve) => net.connect(server.address().port, '127.0.0.1', resolve))`,
    says: /a socket \(descriptor \d+\) \(opened by [^)]*app\.mjs\)/
  },
  'a UDP socket': {
    load: `import dgram from 'node:dgram'
const udp = dgram.createSocket('udp4')
await new Promise((resolve) => udp.bind(0, '127.0.0.1', resolve))
udp.unref()`,
    says: /a socket \(descriptor \d+\)/
  },
  'a thread': {
    load: `import { Worker } from 'node:worker_threads'
const thread = new Worker('setInterval(() => {}, 1000)', { eval: true })
await new Promise((resolve) => thread.once('online', resolve))
thread.unref()`,
    says: /1 thread more than Node's own \(opened by [^)]*app\.mjs\)/
  },
  'a child': {
    load: `import { spawn } from 'node:child_process'
const child = spawn('sleep', ['60'], { stdio: 'ignore' })
child.unref()
// As apps do: an unclean mold is not killed, or its child would stay.
process.on('exit', () => child.kill())`,
    says: /a child process \(sleep, pid \d+\) \(opened by [^)]*app\.mjs\)/
  },
  'a database file': {
    load: `import { openSync } from 'node:fs'
globalThis.database = openSync(process.env.DATABASE, 'r')`,
    says: /the file .*shop\.db, open for reading and writing/
  },
  'a file open for reading and writing': {
    load: `import { openSync } from 'node:fs'
globalThis.file = openSync(process.env.DATABASE, 'r+')`,
    says: /the file .*shop\.db, open for reading and writing/
  }
}

for (const [what, { load, says }] of Object.entries(OPEN)) {
  t.test(`a mold that holds ${what} is not forked: one line says so, and the workers are spawned`, async (t) => {
    const DATABASE = path.join(t.testdir(), 'shop.db')
    writeFileSync(DATABASE, 'SQLite format 3\0')
    const app = new ForkingApp(t, { load, env: { DATABASE } })
    await app.workersServing(2)
    const said = app.log.filter(({ msg }) => msg.includes('MAPACHE_MOLD_UNCLEAN'))
    t.equal(said.length, 1)
    t.match(said[0]?.msg, says)
    t.match(said[0]?.msg, /the workers of gen=1 are spawned/)
    const one = await app.ask()
    t.equal(one.loadedBy, one.pid, 'it loaded the code itself')
  })
}

t.test("where boot is 'fork' it is an error of the start", async (t) => {
  const { load, says } = OPEN['a thread'] as { load: string; says: RegExp }
  const app = new ForkingApp(t, { load, settings: { boot: 'fork' } })
  t.equal((await app.exit()).code, 1)
  t.match(app.output, /MAPACHE_MOLD_UNCLEAN/)
  t.match(app.output, says)
  await app.gone()
  t.strictSame(app.leftovers(), [])
})

t.test("where boot is 'fork' an unclean mold fails the reload", async (t) => {
  const app = new ForkingApp(t, { settings: { boot: 'fork' } })
  const workers = await app.workersServing(2)
  app.deploy(2, OPEN['a thread']?.load)
  app.kill('SIGHUP')
  await app.printed(/reload failed \(boot\); gen=1 serves on: MAPACHE_MOLD_UNCLEAN/)
  t.strictSame(app.workers, workers)
})

t.test('a generation that is clean again is forked again', async (t) => {
  const app = new ForkingApp(t, { load: OPEN['a thread']?.load ?? '' })
  await app.workersServing(2)
  app.deploy(2)
  await app.replaced(() => app.kill('SIGHUP'))
  t.match(await app.ask(), { version: 2, loadedBy: await app.mold(2) })
})

t.test('timers are listed and allowed, unless strict', async (t) => {
  const load = 'setInterval(() => {}, 12_345).unref()'
  const app = new ForkingApp(t, { load })
  await app.workersServing(2)
  await app.printed(/has timers, and so will its forks: a timer of 12345 ms \(opened by [^)]*app\.mjs\)/)
  t.match(await app.ask(), { loadedBy: await app.mold() })
  const strict = new ForkingApp(t, { load, settings: { strict: true } })
  await strict.workersServing(2)
  await strict.printed(/MAPACHE_MOLD_UNCLEAN: it holds a timer of 12345 ms .* are spawned/)
})

t.test('files that are read or appended to, and handlers of signals, are no matter', async (t) => {
  const load = `import { openSync } from 'node:fs'
globalThis.files = [openSync(process.argv[1] ?? '/etc/hostname', 'r'), openSync('./app.log', 'a')]
process.on('SIGWINCH', () => {})`
  const app = new ForkingApp(t, { load })
  await app.workersServing(2)
  t.match(await app.ask(), { loadedBy: await app.mold() })
})

t.test('a loader in a thread makes it unclean, on Node.js that has loaders in threads', async (t) => {
  const loader = path.join(
    t.testdir({ 'loader.mjs': 'export const resolve = (name, context, next) => next(name, context)' })
  )
  writeFileSync(
    path.join(loader, 'register.mjs'),
    "import { register } from 'node:module'\nregister('./loader.mjs', import.meta.url)"
  )
  const app = new ForkingApp(t, { nodeArgs: ['--import', path.join(loader, 'register.mjs')] })
  await app.workersServing(2)
  t.match(app.output, /1 thread more than Node's own/)
})

t.test('without @mapache/native in the app workers are spawned, and boot: fork says what is missing', async (t) => {
  const native = "export const supported = () => ({ ok: false, reason: 'it was not compiled' })"
  const auto = new ForkingApp(t, { native })
  await auto.workersServing(2)
  t.match(auto.output, /workers are spawned, not forked: it was not compiled/)
  const one = await auto.ask()
  t.equal(one.loadedBy, one.pid)
  const fork = new ForkingApp(t, { native, settings: { boot: 'fork' } })
  t.equal((await fork.exit()).code, 1)
  t.match(fork.output, /MAPACHE_FORK_UNAVAILABLE: boot is 'fork', and it was not compiled/)
})

t.test('a self-test that fails is not overruled', async (t) => {
  const native = "export const selfTest = async () => ({ ok: false, reason: 'gc hung' })"
  const auto = new ForkingApp(t, { native })
  await auto.workersServing(2)
  t.match(auto.output, /workers are spawned, not forked: the self-test of @mapache\/native failed: gc hung/)
  const fork = new ForkingApp(t, { native, settings: { boot: 'fork' } })
  t.equal((await fork.exit()).code, 1)
  t.match(fork.output, /MAPACHE_FORK_UNAVAILABLE.*gc hung/)
})

t.test("boot: 'spawn' spawns", async (t) => {
  const app = new ForkingApp(t, { settings: { boot: 'spawn' } })
  await app.workersServing(2)
  t.notMatch(app.output, /mold=/)
})
