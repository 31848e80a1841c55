import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { WebSocket } from 'ws'
import { put, reload } from '../support/deploy.js'
import { before, type Fixture, start, type Test, until } from '../support/fixture.js'

const APP = `import http from 'node:http'
import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
const held = []
worker.onRetire(() => console.log('retire heard by', worker.id))
const listener = (req, res) => {
  if (req.url === '/release') { for (const go of held.splice(0)) go(); return res.end('released') }
  if (req.url === '/hold') return void held.push(() => res.end('held ' + worker.generation))
  if (req.url === '/head') { res.write('begun '); return void held.push(() => res.end('ended')) }
  if (req.url === '/events') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: hello\\n\\n')
    return worker.retiring.addEventListener('abort', () => res.end('data: bye\\n\\n'))
  }
  if (req.method === 'POST') {
    let size = 0
    req.on('data', (part) => { size += part.length })
    return req.on('end', () => res.end('got ' + size))
  }
  res.end('gen ' + worker.generation)
}
const make = () => {
  const server = http.createServer(listener)
  server.keepAliveTimeout = 60000
  // The test reaches a retiring worker by this second server, which it leaves alone.
  return server
}
process.on('message', () => {})
process.on('SIGUSR1', () => { for (const go of held.splice(0)) go() })
await mapacheHttp(make, { workers: 1, settle: 50, ...JSON.parse(process.env.OPTIONS ?? '{}') }).listen(0, '127.0.0.1')`

/** A raw connection that keeps what it received. */
class Client {
  received = ''
  readonly socket: net.Socket
  readonly closed: Promise<unknown>

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1').on('data', (text) => {
      this.received += text
    })
    this.closed = once(this.socket, 'close')
  }

  async open(): Promise<this> {
    await once(this.socket, 'connect')
    return this
  }

  send(...urls: string[]): void {
    this.socket.write(urls.map((url) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
  }

  async answers(count: number): Promise<string[]> {
    const parts = () => this.received.split('HTTP/1.1 ').slice(1)
    await until(
      () => parts().length >= count,
      `${count} answers`,
      () => this.received
    )
    return parts()
  }
}

async function cluster(
  t: Test & { testdir(): string },
  options = {}
): Promise<{ fixture: Fixture; port: number; old: number }> {
  const fixture = start(t, put(path.join(t.testdir(), 'app.mjs'), APP), { env: { OPTIONS: JSON.stringify(options) } })
  const port = await fixture.port()
  const [old] = await fixture.workersServing(1)
  return { fixture, port, old: old as number }
}

t.test('a slow answer is finished by the worker that retires, and says Connection: close', async (t) => {
  const { fixture, port, old } = await cluster(t)
  const client = await new Client(port).open()
  client.send('/hold')
  const later = await new Client(port).open()
  later.send('/')
  await later.answers(1)
  later.socket.destroy()
  t.equal(await reload(fixture), 'done')
  process.kill(old, 'SIGUSR1')
  await client.closed
  t.match(client.received, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*held 1$/)
  await fixture.printed(/worker=1 gen=1 pid=\d+ exited \(reload\)/)
})

t.test('a body that was begun is finished, and its connection serves once more', async (t) => {
  const { fixture, port, old } = await cluster(t)
  const client = await new Client(port).open()
  client.send('/head')
  await until(() => client.received.includes('begun'), 'the beginning')
  t.equal(await reload(fixture), 'done')
  process.kill(old, 'SIGUSR1')
  await until(() => client.received.includes('ended'), 'the end')
  client.send('/')
  await client.closed
  t.match(client.received, /ended[\s\S]*Connection: close[\s\S]*gen 1$/)
})

t.test('idle, silent and half-sent connections are served by the worker that retires when they speak', async (t) => {
  const { fixture, port } = await cluster(t)
  const idle = await new Client(port).open()
  idle.send('/')
  await idle.answers(1)
  const silent = await new Client(port).open()
  const half = await new Client(port).open()
  half.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345')
  const head = await new Client(port).open()
  head.socket.write('GET / HTTP/1.1\r\nHo')
  // Accepted in their order: an answer on a later connection says that they all are.
  const last = await new Client(port).open()
  last.send('/')
  await last.answers(1)
  t.equal(await reload(fixture), 'done')
  idle.send('/')
  silent.send('/')
  half.socket.write('67890')
  head.socket.write('st: x\r\n\r\n')
  last.send('/')
  for (const client of [idle, silent, half, head, last]) await client.closed
  for (const client of [idle, silent, head, last]) t.match(client.received, /Connection: close[\s\S]*gen 1$/)
  t.match(half.received, /Connection: close[\s\S]*got 10$/)
  await fixture.printed(/worker=1 gen=1 pid=\d+ exited \(reload\)/)
})

for (const writes of ['one write', 'three writes'] as const) {
  t.test(
    `three requests pipelined in ${writes} to a retiring worker are all answered, and the last says close`,
    async (t) => {
      const { fixture, port } = await cluster(t)
      const client = await new Client(port).open()
      client.send('/', '/', '/')
      await client.answers(3)
      t.equal(await reload(fixture), 'done')
      client.received = ''
      if (writes === 'one write') client.send('/', '/', '/')
      else {
        for (let i = 0; i < 3; i += 1) {
          client.send('/')
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      await client.closed
      const answers = await client.answers(3)
      t.strictSame(
        answers.map((one) => [/gen 1$/.test(one), /Connection: close/.test(one)]),
        [
          [true, false],
          [true, false],
          [true, true]
        ]
      )
    }
  )
}

t.test('server-sent events end by worker.retiring, and onRetire is heard', async (t) => {
  const { fixture, port } = await cluster(t)
  const client = await new Client(port).open()
  client.send('/events')
  await until(() => client.received.includes('hello'), 'an event')
  t.equal(await reload(fixture), 'done')
  await until(() => client.received.includes('bye'), 'the last event')
  await fixture.printed(/retire heard by 1/)
  client.socket.destroy()
})

t.test('what is left at drainTimeout is cut, and counted in one line of the log', async (t) => {
  const { fixture, port } = await cluster(t, { drainTimeout: 300 })
  const clients = await Promise.all([1, 2].map(() => new Client(port).open()))
  for (const client of clients) client.send('/hold')
  const idle = await new Client(port).open()
  idle.send('/')
  await idle.answers(1)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(
    /worker=1 .*reached drainTimeout after \d+ ms: cut 2 requests, 0 upgraded sockets, 0 HTTP\/2 streams; closed 1 idle connections/
  )
  for (const client of [...clients, idle]) await client.closed
})

t.test('where more than maxRetiring drain, the oldest closes its idle connections', async (t) => {
  const { fixture, port } = await cluster(t, { maxRetiring: 1 })
  const idle = await new Client(port).open()
  idle.send('/')
  await idle.answers(1)
  t.equal(await reload(fixture), 'done')
  const second = await new Client(port).open()
  second.send('/')
  await second.answers(1)
  t.equal(await reload(fixture), 'done')
  await idle.closed
  await fixture.printed(/worker=1 gen=1 pid=\d+ exited/)
  t.notOk(second.socket.destroyed)
  second.send('/')
  await second.closed
})

t.test('WebSockets learn of it, finish by themselves, and what does not is cut and counted', async (t) => {
  const code = `import http from 'node:http'
import { WebSocketServer } from 'ws'
import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
await mapacheHttp(() => {
  const server = http.createServer((req, res) => res.end('ok'))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (ws, req) => {
    ws.on('message', (data) => ws.send('echo ' + data))
    if (req.url === '/polite') worker.onRetire(() => ws.close(1012))
  })
  return server
}, { workers: 1, settle: 50, drainTimeout: 500 }).listen(0, '127.0.0.1')`
  const fixture = start(t, put(path.join(t.testdir(), 'app.mjs'), code))
  const port = await fixture.port()
  const [polite, stubborn] = ['polite', 'stubborn'].map((name) => new WebSocket(`ws://127.0.0.1:${port}/${name}`)) as [
    WebSocket,
    WebSocket
  ]
  await Promise.all([once(polite, 'open'), once(stubborn, 'open')])
  const left = once(polite, 'close')
  const cut = once(stubborn, 'close')
  t.equal(await reload(fixture), 'done')
  const [code1] = await before(left, () => 'the close of the polite one')
  t.equal(code1, 1012)
  stubborn.send('still there')
  t.equal(String((await once(stubborn, 'message'))[0]), 'echo still there')
  await before(cut, () => 'the cut')
  await fixture.printed(/cut 0 requests, 1 upgraded sockets/)
})

t.test('HTTP/2 streams in flight are finished, and the session is told to go away', async (t) => {
  const code = `import http2 from 'node:http2'
import { mapacheHttp } from '@mapache/core'
await mapacheHttp(() => (req, res) => { setTimeout(() => res.end('slow'), req.url === '/slow' ? 1000 : 0) },
  { workers: 1, settle: 50, server: (listener) => http2.createServer(listener) }).listen(0, '127.0.0.1')`
  const fixture = start(t, put(path.join(t.testdir(), 'app.mjs'), code))
  const session = http2.connect(`http://127.0.0.1:${await fixture.port()}`)
  await once(session, 'connect')
  const stream = session.request({ ':path': '/slow' })
  let body = ''
  stream.setEncoding('utf8').on('data', (text) => {
    body += text
  })
  const ended = once(stream, 'end')
  const away = once(session, 'close')
  const quick = session.request({ ':path': '/' }).resume()
  await once(quick, 'end')
  t.equal(await reload(fixture), 'done')
  await before(ended, () => 'the stream')
  t.equal(body, 'slow')
  await before(away, () => 'the end of the session')
})

t.test("the framework's close runs after the drain: Fastify answers no 503 while a connection is left", async (t) => {
  const code = `import Fastify from 'fastify'
import { mapacheFastify } from '@mapache/fastify'
await mapacheFastify(() => {
  const app = Fastify()
  let slow = 0
  app.get('/slow', () => new Promise((resolve) => { slow += 1; setTimeout(() => { slow -= 1; resolve('slow') }, 1000) }))
  app.get('/', async () => 'ok')
  app.addHook('onClose', async () => console.log('closed with', slow, 'left'))
  return app
}, { workers: 1, settle: 50 }).listen({ port: 0, host: '127.0.0.1' })`
  const fixture = start(t, put(path.join(t.testdir(), 'app.mjs'), code))
  const port = await fixture.port()
  const [slow, idle] = await Promise.all([new Client(port).open(), new Client(port).open()])
  idle.send('/')
  await idle.answers(1)
  slow.send('/slow')
  t.equal(await reload(fixture), 'done')
  idle.send('/')
  for (const client of [slow, idle]) await client.closed
  t.match(slow.received, /^HTTP\/1\.1 200/)
  t.strictSame(idle.received.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 200'])
  await fixture.printed(/closed with 0 left/)
})
