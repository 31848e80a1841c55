import { once } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../support/fixture.js'
import { certificate, formatReport, lossApp, startLoad } from '../support/loss/index.js'

type Server = http2.Http2Server | http2.Http2SecureServer

async function listen(t: Test, server: Server) {
  // The two request classes differ in what this app does not use.
  server.on('request', lossApp as never)
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session) => sessions.add(session.once('close', () => sessions.delete(session))))
  server.on('sessionError', () => {})
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, sessions, sockets }
}

t.test('a good server loses nothing, plain and over TLS', async (t) => {
  for (const tls of [false, true]) {
    const server = tls ? http2.createSecureServer(certificate) : http2.createServer()
    const { port } = await listen(t, server)
    let streams = 0
    server.on('stream', () => streams++)
    const load = startLoad({ port, tls, habits: ['http2'], concurrency: 2 })
    await load.warm()
    await until(() => streams > 20, 'streams')
    const report = await load.stop()
    t.equal(report.lost, 0, formatReport(report))
    t.ok(report.requests > 10)
  }
})

t.test('what GOAWAY leaves unanswered is sent again and no loss', async (t) => {
  const { port, sessions } = await listen(t, http2.createServer())
  const load = startLoad({ port, habits: ['http2'], concurrency: 4, pace: 0 })
  await load.warm()
  for (let drain = 0; drain < 10; drain++) {
    await sleep(40)
    for (const session of sessions) session.close()
  }
  const report = await load.stop()
  t.equal(report.lost, 0, formatReport(report))
  t.ok((report.habits.http2?.connections ?? 0) > 4, 'clients moved to new sessions')
})

t.test('refused streams are sent again and no loss', async (t) => {
  const server = http2.createServer()
  let refused = 0
  server.prependListener('stream', (stream) => {
    if ((stream.id ?? 1) % 9 === 0) {
      refused++
      stream.close(http2.constants.NGHTTP2_REFUSED_STREAM)
    }
  })
  const { port } = await listen(t, server)
  const load = startLoad({ port, habits: ['http2'], concurrency: 2 })
  await load.warm()
  await until(() => refused > 2, 'refused streams')
  const report = await load.stop()
  t.equal(report.lost, 0, formatReport(report))
  t.ok(refused > 0)
  t.equal(report.habits.http2?.retried, refused)
})

t.test('sessions that are cut lose their streams', async (t) => {
  const server = http2.createServer()
  const { port, sockets } = await listen(t, server)
  let open = 0
  let lost = 0
  server.on('stream', (stream) => {
    open++
    stream.once('close', () => open--)
  })
  const load = startLoad({ port, habits: ['http2'], concurrency: 2 })
  await load.warm()
  for (let cut = 0; cut < 5; cut++) {
    await sleep(60)
    lost += open
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const report = await load.stop()
  // At least: what was on the wire at that moment is lost as well.
  t.ok(lost > 0 && report.lost >= lost, `${lost} streams cut\n${formatReport(report)}`)
  t.ok(Object.keys(report.byKind).every((kind) => ['cut', 'reset', 'closed', 'refused'].includes(kind)))
})

t.test('a closed port refuses', async (t) => {
  const server = http2.createServer()
  const { port } = await listen(t, server)
  server.close()
  await once(server, 'close')
  const load = startLoad({ port, habits: ['http2'], concurrency: 1 })
  await sleep(100)
  const report = await load.stop()
  t.ok((report.byKind.refused ?? 0) > 0, formatReport(report))
})
