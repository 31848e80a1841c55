import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { put } from '../support/deploy.js'
import { busy, type Fixture, get, isRunning, start, startCli, until } from '../support/fixture.js'

/** A connection that sends what it is told and collects what comes. */
async function connect(port: number) {
  const socket = net.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text
  })
  const ended = once(socket, 'close')
  return {
    socket,
    send: (at: string) => void socket.write(`GET ${at} HTTP/1.1\r\nHost: x\r\n\r\n`),
    ended: async () => {
      await ended
      return received
    },
    get received() {
      return received
    }
  }
}

const signalAll = (fixture: Fixture, signal: NodeJS.Signals) => {
  for (const pid of fixture.processes()) process.kill(pid, signal)
}

for (const [name, stop] of [
  ['SIGTERM', (fixture: Fixture) => fixture.kill('SIGTERM')],
  ['SIGINT', (fixture: Fixture) => fixture.kill('SIGINT')],
  ["SIGTERM to every process at once (systemd's control group)", (fixture: Fixture) => signalAll(fixture, 'SIGTERM')],
  [
    'SIGTERM to every process after the supervisor',
    (fixture: Fixture) => {
      fixture.kill('SIGTERM')
      signalAll(fixture, 'SIGTERM')
    }
  ]
] as const) {
  t.test(`on ${name} what was accepted or queued is answered, then it exits with code 0`, async (t) => {
    const fixture = start(t, 'life.mjs')
    const port = await fixture.port()
    await fixture.workersServing(2)
    const slow = await connect(port)
    slow.send('/slow?ms=600')
    // Both workers are busy, so that what comes now waits in the kernel.
    const blocked = await Promise.all([connect(port), connect(port), connect(port), connect(port)])
    for (const one of blocked) one.send('/block?ms=300')
    const queued = await Promise.all(Array.from({ length: 20 }, () => connect(port)))
    const silent = await Promise.all(Array.from({ length: 5 }, () => connect(port)))
    for (const one of queued) one.send('/')
    stop(fixture)
    await fixture.printed(/stopping: finishing/)
    // Connected before the stop, and heard of only now.
    for (const one of silent) one.send('/')
    for (const one of [slow, ...blocked, ...queued, ...silent]) {
      // Whether it says `Connection: close` depends on which comes first to a worker, the request or the word of the stop.
      t.match(await one.ended(), /^HTTP\/1\.1 200 OK\r\n/)
    }
    t.strictSame(await fixture.exit(), { code: 0, signal: null })
    t.strictSame(fixture.processes(), [])
    t.strictSame(fixture.leftovers(), [])
  })
}

t.test('an idle connection is closed after stopIdleGrace, not at the end of its own timeout', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { OPTIONS: '{"stopIdleGrace":100}', KEEP_ALIVE: '600000' } })
  const idle = await connect(await fixture.port())
  idle.send('/')
  await until(() => idle.received.includes('\r\n\r\n'), 'an answer')
  fixture.kill('SIGTERM')
  await idle.ended()
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
})

for (const signals of [['SIGINT', 'SIGINT'], ['SIGQUIT'], ['SIGTERM', 'SIGQUIT']] as const) {
  t.test(`${signals.join(' and ')} stops now`, async (t) => {
    const fixture = start(t, 'life.mjs')
    const port = await fixture.port()
    const slow = await connect(port)
    slow.socket.on('error', () => {})
    slow.send('/slow?ms=600000')
    await until(async () => (await get(port)).status === 200, 'an answer')
    for (const signal of signals) {
      const from = fixture.output.length
      fixture.kill(signal)
      await fixture.printed(/stopping/, from)
    }
    t.strictSame(await fixture.exit(), { code: 0, signal: null })
    t.strictSame(fixture.processes(), [])
  })
}

t.test(
  'an app that closes its server on SIGTERM (close-with-grace) is held back until the drain is done',
  async (t) => {
    const grace = `import closeWithGrace from 'close-with-grace'
import Fastify from 'fastify'
import mapache from '@mapache/fastify'
const app = Fastify({ forceCloseConnections: true })
closeWithGrace({ delay: 10000 }, async () => { console.log('grace runs'); await app.close() })
app.register(mapache, { workers: 2, settle: 50 })
app.get('/', async () => 'ok')
app.get('/slow', () => new Promise((resolve) => setTimeout(resolve, 500, 'slow')))
await app.listen({ port: 0, host: '127.0.0.1' })`
    const entry = put(path.join(t.testdir(), 'app.mjs'), grace)
    for (const run of [() => start(t, entry), () => startCli(t, ['-w', '2', entry])]) {
      const fixture = run()
      const port = await fixture.port()
      await fixture.workersServing(2)
      const slow = await connect(port)
      slow.send('/slow')
      const silent = await Promise.all(Array.from({ length: 10 }, () => connect(port)))
      signalAll(fixture, 'SIGTERM')
      await fixture.printed(/stopping: finishing/)
      for (const one of silent) one.send('/')
      for (const one of [slow, ...silent]) t.match(await one.ended(), /^HTTP\/1\.1 200 OK/)
      t.strictSame(await fixture.exit(), { code: 0, signal: null })
      t.match(fixture.output, /grace runs/)
    }
  }
)

t.test('SIGKILL of the supervisor: workers finish what they hold and leave, and nothing is left behind', async (t) => {
  const folder = t.testdir()
  const socket = path.join('/tmp', `mp-${process.pid}.sock`)
  const fixture = start(t, 'life.mjs', { cwd: folder, env: { SOCKET: socket } })
  await fixture.workersServing(2)
  const answer = get({ socketPath: socket }, '/slow?ms=700')
  await until(async () => (await get({ socketPath: socket })).status === 200, 'an answer')
  const workers = fixture.workers
  fixture.kill('SIGKILL')
  await fixture.exit()
  // At once, while they still leave: the new one gets the path, and keeps it when they are gone.
  const next = start(t, 'life.mjs', { env: { SOCKET: socket, XDG_RUNTIME_DIR: fixture.folder } })
  await next.workersServing(2)
  t.match((await answer).body, /^slow/)
  await until(() => workers.every((pid) => !isRunning(pid)), 'the orphans gone')
  t.match((await get({ socketPath: socket })).status, 200)
  next.kill('SIGTERM')
  await next.exit()
  t.strictSame(fixture.leftovers(), [])
  await t.rejects(get({ socketPath: socket }), { code: 'ENOENT' })
})

t.test('without a successor the last orphan removes the folder and the socket', async (t) => {
  const socket = path.join('/tmp', `mp-${process.pid}-2.sock`)
  const fixture = start(t, 'life.mjs', { env: { SOCKET: socket } })
  await fixture.workersServing(2)
  fixture.kill('SIGKILL')
  await fixture.gone()
  t.strictSame(fixture.leftovers(), [])
  await t.rejects(get({ socketPath: socket }), { code: 'ENOENT' })
})

t.test('a port held by leaving orphans is waited for; one held by a stranger is a clear error', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  await fixture.workersServing(2)
  const blocked = Promise.allSettled(Array.from({ length: 3 }, () => get(port, '/block?ms=1200')))
  // Else nobody might hold the port for long.
  await Promise.any(fixture.workers.map(busy))
  fixture.kill('SIGKILL')
  await fixture.exit()
  const next = start(t, 'life.mjs', { env: { PORT: String(port), XDG_RUNTIME_DIR: fixture.folder } })
  await next.workersServing(2)
  await blocked
  t.equal((await get(port)).status, 200)
  const third = start(t, 'life.mjs', { env: { PORT: String(port) } })
  t.strictSame(await third.exit(), { code: 1, signal: null })
  t.match(third.output, /MAPACHE_ADDRESS_IN_USE: 127\.0\.0\.1:\d+ is in use by another process/)
  t.strictSame(third.processes(), [])
  t.strictSame(third.leftovers(), [])
})
