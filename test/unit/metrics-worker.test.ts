import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo, type Server } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ENDS, METHODS, type RequestReport } from '#metrics/report.js'
import { methodIndex, RequestCounts } from '#metrics/worker/requests.js'
import { watchRequests } from '#metrics/worker/watch.js'

const counts = new RequestCounts([0.01, 60])
let listened = 0
let finished = 0
watchRequests(counts, {
  listening: () => {
    listened += 1
  },
  finished: () => {
    finished += 1
  }
})
t.beforeEach(() => counts.clear())

/** What was counted, by name. */
function counted({ counts: all }: RequestReport = counts.report(0)) {
  const named: Record<string, number> = {}
  for (const [index, count] of all.entries()) {
    if (count > 0) named[`${METHODS[Math.floor(index / ENDS.length)]} ${ENDS[index % ENDS.length]}`] = count
  }
  return named
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Until so many have ended. */
async function ends(count: number): Promise<void> {
  while (counts.version < count) await turn()
}

t.test('durations go into their buckets, ends to their methods', async (t) => {
  for (const method of ['GET', 'PROPFIND', 'POST', 'POST', 'DELETE', 'PUT', 'PUT']) counts.began(methodIndex(method))
  counts.answered(methodIndex('GET'), 200, 10)
  counts.answered(methodIndex('PROPFIND'), 404, 10.001)
  counts.answered(methodIndex('POST'), 500, 90_000)
  counts.answered(methodIndex('POST'), 999, 0)
  counts.aborted(methodIndex('DELETE'))
  t.strictSame(counted(), { 'GET 2xx': 1, 'POST 5xx': 2, 'DELETE aborted': 1, 'other 4xx': 1 })
  t.equal(counts.pending, 2)
  counts.abandon()
  t.equal(counts.pending, 0)
  t.match(counted(), { 'PUT aborted': 2 })
  t.match(counts.report(7), { buckets: [2, 1, 1], micros: 90_020_001, active: 7 })
})

t.test('HTTP/1: kept connections, pipelined requests, cut answers', async (t) => {
  let cut: http.ServerResponse | undefined
  const server = http.createServer((request, response) => {
    response.statusCode = request.url === '/missing' ? 404 : 200
    if (request.url === '/cut') cut = (response.writeHead(200).flushHeaders() as undefined) ?? response
    else response.end('ok')
  })
  const before = listened
  const port = await listen(t, server)
  t.equal(listened, before + 1, 'hears of the server')

  const socket = net.connect(port, '127.0.0.1')
  const one = (method: string, url: string) => `${method} ${url} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`
  socket.write(one('GET', '/') + one('POST', '/missing') + one('PUT', '/'))
  await ends(3)
  t.strictSame(counted(), { 'GET 2xx': 1, 'POST 4xx': 1, 'PUT 2xx': 1 })
  const idle = finished

  socket.write(one('GET', '/cut') + one('DELETE', '/'))
  while (!cut) await turn()
  t.equal(finished, idle, 'the one that is open is waited for')
  socket.destroy()
  await ends(5)
  t.match(counted(), { 'GET aborted': 1, 'DELETE aborted': 1 })
  t.equal(finished, idle + 1)
  t.equal(
    counts.report(0).buckets.reduce((sum, count) => sum + count),
    3,
    'cut answers have no duration'
  )
})

t.test('an upgrade is no request', async (t) => {
  const server = http.createServer((_request, response) => response.end())
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: test\r\n\r\n')
  )
  const port = await listen(t, server)
  const request = http.get({ port, headers: { connection: 'upgrade', upgrade: 'test' } })
  const [, socket] = (await once(request, 'upgrade')) as [unknown, net.Socket]
  socket.destroy()
  http.get({ port, agent: false }, (response) => response.resume())
  await ends(1)
  t.strictSame(counted(), { 'GET 2xx': 1 })
})

for (const api of ['request', 'stream'] as const) {
  t.test(`HTTP/2 by ${api}`, async (t) => {
    const server = http2.createServer()
    let open: { destroy(): unknown } | undefined
    if (api === 'request') {
      server.on('request', (request, response) => {
        if (request.url === '/cut') open = response.writeHead(200)
        else response.writeHead(request.url === '/missing' ? 404 : 200).end('ok')
      })
    } else {
      server.on('stream', (stream, headers) => {
        stream.on('error', () => {})
        stream.respond({ ':status': headers[':path'] === '/missing' ? 404 : 200 })
        if (headers[':path'] === '/cut') open = stream
        else stream.end('ok')
      })
    }
    const port = await listen(t, server)
    const client = http2.connect(`http://127.0.0.1:${port}`)
    t.teardown(() => client.destroy())
    const ask = (path: string, method = 'GET') => client.request({ ':path': path, ':method': method }).resume()
    ask('/')
    ask('/missing')
    ask('/', 'HEAD').end()
    await ends(3)
    t.strictSame(counted(), { 'GET 2xx': 1, 'HEAD 2xx': 1, 'GET 4xx': 1 })

    const cut = ask('/cut').on('error', () => {})
    while (!open) await turn()
    cut.close(http2.constants.NGHTTP2_CANCEL)
    await ends(4)
    t.match(counted(), { 'GET aborted': 1 })
    client.close()
  })
}
