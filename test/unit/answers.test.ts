import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { AnswersData } from '#core/channel/canary.js'
import { middleOf } from '#core/cluster/histogram.js'
import { Answers } from '#core/worker/answers.js'
import { Connections } from '#core/worker/connections.js'
import { get, until } from '../support/fixture.js'

async function measured(t: Test, server: Server): Promise<{ meter: Answers; connections: Connections; port: number }> {
  const connections = new Connections(server)
  const meter = new Answers()
  connections.meter = meter
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const { socket } of connections.open) socket.destroy()
    server.close()
  })
  return { meter, connections, port: (server.address() as AddressInfo).port }
}

/** All that is counted, up to so many answers. */
async function counted(meter: Answers, answers: number): Promise<AnswersData> {
  const sum = meter.take()
  await until(() => {
    const more = meter.take()
    sum.count += more.count
    sum.errors += more.errors
    sum.aborted += more.aborted
    sum.latency.push(...more.latency)
    return sum.count + sum.aborted >= answers
  }, `${answers} answers`)
  return sum
}

const of = ({ count, errors, aborted }: AnswersData) => [count, errors, aborted]

t.test('answers are counted by HTTP/1 with their status, and told once', async (t) => {
  const status: Record<string, number> = { '/missing': 404, '/broken': 500, '/busy': 503, '/none': 204 }
  const server = http.createServer((req, res) => {
    res.statusCode = status[req.url as string] ?? 200
    res.end(res.statusCode === 204 ? undefined : 'x')
  })
  const { meter, port } = await measured(t, server)
  for (const path of ['/', ...Object.keys(status)]) await get(port, path)
  t.strictSame(of(await counted(meter, 5)), [5, 2, 0])
  t.strictSame(meter.take(), { count: 0, errors: 0, aborted: 0, latency: [] })
})

t.test('the time is that until the response has ended', async (t) => {
  const server = http.createServer(async (_req, res) => {
    res.write('a')
    await sleep(60)
    res.end('b')
  })
  const { meter, port } = await measured(t, server)
  await get(port)
  const [[bucket, count] = [0, 0]] = (await counted(meter, 1)).latency
  t.equal(count, 1)
  t.ok(middleOf(bucket) > 50 && middleOf(bucket) < 5_000, `${middleOf(bucket)} ms`)
})

t.test('what is broken off counts apart, by the client or by the app', async (t) => {
  const server = http.createServer((req, res) => {
    if (req.url === '/cut') res.destroy()
    else res.write('begun')
  })
  const { meter, port } = await measured(t, server)
  await t.rejects(get(port, '/cut'))
  const request = http.get({ port, host: '127.0.0.1', agent: false }, (response) => {
    response.once('data', () => request.destroy())
    response.on('error', () => {})
  })
  request.on('error', () => {})
  t.strictSame(of(await counted(meter, 2)), [0, 0, 2])
})

t.test('a request that is announced twice counts once, and an upgrade not at all', async (t) => {
  const server = http.createServer((_req, res) => res.end('x'))
  server.on('checkContinue', (req, res) => {
    res.writeContinue()
    server.emit('request', req, res)
  })
  server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nbye'))
  const { meter, port } = await measured(t, server)
  const request = http.request({ port, host: '127.0.0.1', agent: false, headers: { expect: '100-continue' } })
  request.once('continue', () => request.end())
  request.flushHeaders()
  const [response] = await once(request, 'response')
  response.resume()
  await once(response, 'end')
  const socket = net.connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  await get(port)
  t.strictSame(of(await counted(meter, 2)), [2, 0, 0])
})

t.test('HTTP/2: streams with and without a body, errors, and those that are reset', async (t) => {
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    if (headers[':path'] === '/empty') stream.respond({ ':status': 204 }, { endStream: true })
    else if (headers[':path'] === '/hang') stream.respond({ ':status': 200 })
    else {
      stream.respond({ ':status': headers[':path'] === '/broken' ? 502 : 200 })
      stream.end('x')
    }
  })
  const { meter, port } = await measured(t, server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  for (const path of ['/', '/empty', '/broken']) {
    const stream = session.request({ ':path': path }).resume()
    await once(stream, 'close')
  }
  const hanging = session.request({ ':path': '/hang' })
  hanging.on('error', () => {})
  await once(hanging, 'response')
  hanging.close(http2.constants.NGHTTP2_CANCEL)
  t.strictSame(of(await counted(meter, 4)), [3, 1, 1])
  session.close()
})

t.test('HTTP/2 through listeners for requests counts once', async (t) => {
  const server = http2.createServer((_req, res) => {
    res.statusCode = 500
    res.end('x')
  })
  const { meter, port } = await measured(t, server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await once(session.request({ ':path': '/' }).resume(), 'close')
  t.strictSame(of(await counted(meter, 1)), [1, 1, 0])
  session.close()
})

t.test('a meter that was taken away counts no more, not even what had begun', async (t) => {
  const held: http.ServerResponse[] = []
  const server = http.createServer((req, res) => (req.url === '/hold' ? held.push(res) : res.end('x')))
  const { meter, connections, port } = await measured(t, server)
  const first = get(port, '/hold')
  await until(() => held.length === 1, 'the request')
  const second = new Answers()
  connections.meter = second
  held[0]?.end('x')
  await first
  await get(port)
  t.strictSame(of(await counted(second, 1)), [1, 0, 0])
  connections.meter = undefined
  await get(port)
  t.strictSame(of(second.take()), [0, 0, 0])
  t.strictSame(of(meter.take()), [1, 0, 0], 'it goes to the one that nobody reads')
})
