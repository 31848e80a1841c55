import { once } from 'node:events'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { before, until } from '../support/fixture.js'
import { RawClient } from '../support/raw.js'
import { type Serve, serve } from '../support/serve.js'

async function start(t: Test, settings = {}): Promise<Serve & { old: number; port: number }> {
  const served = serve(t, 'upgrade.mjs', { settings: { workers: 1, ...settings } })
  const port = await served.fixture.port()
  const [old = 0] = await served.fixture.workersServing(1)
  return { ...served, old, port }
}

/** A WebSocket that is open. */
async function connect(t: Test, port: number, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  t.teardown(() => socket.terminate())
  await before(once(socket, 'open'), () => `a WebSocket at ${path}`)
  return socket
}

async function echo(socket: WebSocket, text: string): Promise<string> {
  const answer = once(socket, 'message')
  socket.send(text)
  return String((await before(answer, () => `the echo of ${text}`))[0])
}

t.test(
  'WebSockets hear of it by worker.onRetire and worker.retiring, and the worker waits for their end',
  async (t) => {
    const { fixture, port, old, reload } = await start(t)
    const stubborn = await connect(t, port, '/stubborn')
    const closes = ['/polite', '/signal'].map(async (path) => {
      const [code] = await once(await connect(t, port, path), 'close')
      return code
    })
    await until(async () => fixture.workers.length === 1, 'the worker')
    t.equal(await echo(stubborn, 'before'), `${old}: before`)
    // Both are open before the reload: each is answered on a connection of its own.
    for (const path of ['/polite', '/signal']) await echo(await connect(t, port, `${path}-not`), 'there')
    await reload(2, old)
    t.strictSame(await before(Promise.all(closes), () => 'the closes'), [1012, 1001])
    t.equal(await echo(stubborn, 'after'), `${old}: after`, 'what does not go by itself is left alone')
    const fresh = await connect(t, port, '/')
    t.notMatch(await echo(fresh, 'new'), `${old}: `)
  }
)

t.test('what is left at drainTimeout is cut, and counted in one line of the log', async (t) => {
  const { fixture, port, old, reload } = await start(t, { drainTimeout: 400 })
  const sockets = await Promise.all([1, 2].map(() => connect(t, port, '/stubborn')))
  const closes = sockets.map((socket) => once(socket, 'close'))
  const idle = await RawClient.open(port)
  t.teardown(() => idle.close())
  await idle.ask().answer()
  await reload(2, old)
  const [codes] = await before(Promise.all([Promise.all(closes), idle.ended()]), () => 'the cut')
  t.strictSame(
    codes.map(([code]) => code),
    [1006, 1006]
  )
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
  const lines = fixture.log.filter(({ msg }) => /drainTimeout|cut/.test(msg)).map(({ level, msg }) => ({ level, msg }))
  t.match(lines, [
    {
      level: 40,
      msg: /^worker=1 gen=1 pid=\d+ reached drainTimeout after \d+ ms: cut 0 requests, 2 upgraded sockets, 0 HTTP\/2 streams; closed 1 idle connections$/
    }
  ])
  t.equal(lines.length, 1)
})

t.test('idle connections alone that are closed at drainTimeout are no reason for a line in the log', async (t) => {
  const { fixture, port, old, reload } = await start(t, { drainTimeout: 200 })
  const idle = await RawClient.open(port)
  t.teardown(() => idle.close())
  await idle.ask().answer()
  await reload(2, old)
  await idle.ended()
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
  t.notMatch(fixture.output, /drainTimeout|cut/)
})

t.test('server-sent events are ended by worker.retiring, and their connection serves once more', async (t) => {
  const { fixture, port, old, reload } = await start(t)
  const client = await RawClient.open(port)
  t.teardown(() => client.close())
  client.ask('/events')
  await client.received(/data: \d+/)
  await reload(2, old)
  t.strictSame(await client.answer(), { status: 200, body: `data: ${old}\n\ndata: bye\n\n`, close: false })
  t.strictSame(await client.ask().answer(), { status: 200, body: `plain ${old}`, close: true })
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
})

t.test('a server of another protocol is drained: its connections go on until they end', async (t) => {
  const served = serve(t, 'net.mjs', { cli: ['-w', '1', '--settle', '50'] })
  const { fixture } = served
  const port = await fixture.port()
  const [old = 0] = await fixture.workersServing(1)
  const client = RawClient.plain(port)
  t.teardown(() => client.close())
  await client.received(new RegExp(`^hello from ${old}\n$`))
  await served.reload(2, old)
  await client.send('still there?\n').received(/still there\?\n$/)
  const fresh = RawClient.plain(port)
  t.teardown(() => fresh.close())
  await fresh.received(/^hello from \d+\n$/)
  t.notMatch(fresh.text, `hello from ${old}\n`)
  client.socket.end('last words')
  await client.ended()
  t.match(client.text, /last words$/)
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
})

t.test('a connection of another protocol that does not end is cut at drainTimeout, and counted', async (t) => {
  const served = serve(t, 'net.mjs', { cli: ['-w', '1', '--settle', '50', '--drain-timeout', '200'] })
  const { fixture } = served
  const [old = 0] = await fixture.workersServing(1)
  const client = RawClient.plain(await fixture.port())
  t.teardown(() => client.close())
  await client.received(/hello/)
  await served.reload(2, old)
  await client.ended()
  await fixture.printed(new RegExp(`pid=${old} reached drainTimeout after \\d+ ms: cut 0 requests, 1 upgraded sockets`))
})
