import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { until } from '../support/fixture.js'
import { pipelineBody, rootBody } from '../support/loss/answers.js'
import {
  certificate,
  formatReport,
  HTTP1_HABITS,
  type Load,
  type LoadOptions,
  type LossKind,
  lossApp,
  startLoad
} from '../support/loss/index.js'

// Habits that send one request at a time: a server that spoils n requests must be seen to lose n, no more and no fewer.
const ONE_AT_A_TIME = ['new-connection', 'keep-alive', 'think-time'] as const
const QUICK = HTTP1_HABITS.filter((habit) => habit !== 'slow-response')
// Little else runs on the event loop that client and server share here, so that a spoilt request is not a late one.
const SMALL = { concurrency: 2, seed: 1, think: [5, 30] as const }

type Spoil = (req: http.IncomingMessage, res: http.ServerResponse) => void

async function listen(t: Test, server: net.Server, where: net.ListenOptions = { port: 0, host: '127.0.0.1' }) {
  server.listen(where)
  await once(server, 'listening')
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return typeof server.address() === 'string' ? 0 : (server.address() as AddressInfo).port
}

/** Loads a server that spoils one request in `every`; resolves to what was counted on both ends. */
async function loadSpoilt(t: Test, every: number, spoil: Spoil, options: Partial<LoadOptions> = {}) {
  let seen = 0
  let spoilt = 0
  const server = http.createServer((req, res) => {
    if (++seen % every !== 0) return lossApp(req, res)
    spoilt++
    spoil(req, res)
  })
  const port = await listen(t, server)
  const load = startLoad({ port, habits: ONE_AT_A_TIME, ...SMALL, ...options })
  // Of each kind some.
  await until(() => spoilt > 20, 'spoilt answers')
  const report = await load.stop()
  t.ok(spoilt > 5, `the server spoilt some: ${spoilt}`)
  t.equal(report.requests, seen, 'every request was counted once')
  t.equal(report.lost, spoilt, formatReport(report, 5))
  t.equal(report.losses.length, spoilt, 'each loss is kept')
  return report
}

async function stopAfter(load: Load, ms: number) {
  await load.warm()
  await sleep(ms)
  return load.stop()
}

function kinds(report: { byKind: Partial<Record<LossKind, number>> }) {
  return Object.keys(report.byKind).sort()
}

t.test('a good server loses nothing, whatever the habit', async (t) => {
  const port = await listen(t, http.createServer(lossApp))
  const report = await stopAfter(startLoad({ port, concurrency: 2 }), 300)
  t.equal(report.lost, 0, formatReport(report))
  t.strictSame(Object.keys(report.habits).sort(), [...HTTP1_HABITS].sort())
  for (const [habit, counts] of Object.entries(report.habits)) t.ok(counts.answered > 0, habit)
  t.ok(report.pipelined.sent > 0)
  t.equal(report.pipelined.answered, report.pipelined.sent)
  const waits = { 'slow-response': 1200, 'slow-upload': 310, streamed: 450 }
  for (const [habit, least] of Object.entries(waits)) {
    const latency = report.habits[habit as keyof typeof waits]?.latency.steady
    t.ok(latency !== undefined && latency.p50 >= least * 0.98, `${habit} takes its time: ${latency?.p50}`)
  }
  t.strictSame(report.clientErrors, [])
})

t.test('over TLS and over a Unix socket', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'loss-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = path.join(folder, 's')
  const port = await listen(t, https.createServer(certificate, lossApp))
  await listen(t, http.createServer(lossApp), { path: file })
  for (const target of [{ port, tls: true }, { path: file }]) {
    const report = await stopAfter(startLoad({ ...target, habits: QUICK, ...SMALL }), 0)
    t.equal(report.lost, 0, formatReport(report))
  }
})

t.test('resets are counted, on new and on kept connections', async (t) => {
  const report = await loadSpoilt(t, 50, (req) => req.socket.resetAndDestroy())
  t.strictSame(kinds(report), ['idle-race', 'reset'])
  for (const { habit, kind } of report.losses) {
    if (habit === 'new-connection') t.equal(kind, 'reset')
  }
})

t.test('503 is counted, and the connection may go on', async (t) => {
  const report = await loadSpoilt(t, 30, (_req, res) => res.writeHead(503, { 'content-length': 4 }).end('away'))
  t.strictSame(kinds(report), ['status'])
  t.match(report.losses[0], { detail: '503 away', phase: 'steady', at: Number })
  t.equal(report.habits['keep-alive']?.connections, SMALL.concurrency)
})

t.test('bodies that are cut are counted, sized and chunked', async (t) => {
  for (const headers of [{ 'content-length': 100 }, {}]) {
    const report = await loadSpoilt(t, 30, (req, res) => {
      res.writeHead(200, headers).write('half a bo', () => req.socket.destroy())
    })
    t.strictSame(kinds(report), ['cut'])
  }
})

t.test('whole but wrong answers are counted', async (t) => {
  const report = await loadSpoilt(t, 30, (_req, res) => res.end(rootBody('someone else')))
  t.strictSame(kinds(report), ['wrong'])
})

t.test('answers that never come are counted at the deadline', async (t) => {
  const report = await loadSpoilt(t, 20, () => {}, { deadline: 150 })
  t.strictSame(kinds(report), ['unanswered'])
})

t.test('a kept connection closed under a request is a loss of its own kind', async (t) => {
  const report = await loadSpoilt(t, 30, (req) => req.socket.destroy(), { habits: ['keep-alive', 'think-time'] })
  t.ok((report.byKind['idle-race'] ?? 0) > 0)
  // The first request of a connection is no idle race.
  t.ok(kinds(report).every((kind) => kind === 'idle-race' || kind === 'closed'))
})

t.test('a kept connection closed while its client thinks is no loss', async (t) => {
  const server = http.createServer((req, res) => {
    res.once('finish', () => setTimeout(() => req.socket.destroySoon(), 1))
    lossApp(req, res)
  })
  const port = await listen(t, server)
  const load = startLoad({ port, habits: ['think-time'], ...SMALL, think: [50, 80] })
  const report = await stopAfter(load, 500)
  t.equal(report.lost, 0, formatReport(report))
  t.equal(report.habits['think-time']?.connections, report.requests)
})

t.test('Connection: close is obeyed', async (t) => {
  const server = http.createServer((req, res) => {
    res.shouldKeepAlive = false
    lossApp(req, res)
  })
  const port = await listen(t, server)
  const report = await stopAfter(startLoad({ port, habits: ONE_AT_A_TIME, ...SMALL }), 200)
  t.equal(report.lost, 0, formatReport(report))
})

t.test('pipelined requests behind a Connection: close are lost, one answer is not three', async (t) => {
  const server = net.createServer((socket) => {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      const before = text
      text += piece.toString()
      const asked = /n=(\w+)/.exec(text)?.[1]
      // Only ever the first request, and late, so that those written apart have all been sent.
      if (/n=/.test(before) || asked === undefined) return
      const body = pipelineBody(asked)
      const answer = `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      setTimeout(() => socket.end(answer), 40)
    })
  })
  const port = await listen(t, server)
  const report = await stopAfter(startLoad({ port, habits: ['pipelined', 'pipelined-apart'], ...SMALL }), 200)
  t.strictSame(kinds(report), ['after-close'], formatReport(report))
  // The last three may have been cut off by the end of the load.
  t.equal(report.pipelined.answered, Math.ceil(report.pipelined.sent / 3))
  t.equal(report.lost, report.pipelined.sent - report.pipelined.answered)
})

t.test('a connection closed before its first request is a loss', async (t) => {
  const server = http.createServer(lossApp)
  server.on('connection', (socket) => setTimeout(() => socket.destroy(), 50))
  const port = await listen(t, server)
  const load = startLoad({ port, habits: ['connect-then-wait'], ...SMALL })
  await sleep(300)
  const report = await load.stop()
  t.ok(report.lost > 0)
  t.equal(report.lost, report.requests)
  t.strictSame(kinds(report), ['closed'])
})

t.test('a closed port refuses: a loss, unless the close was expected', async (t) => {
  const server = http.createServer(lossApp)
  const port = await listen(t, server)
  server.close()
  await once(server, 'close')
  const load = startLoad({ port, habits: ONE_AT_A_TIME, ...SMALL })
  load.expectClose()
  await sleep(100)
  const report = await load.stop()
  t.equal(report.lost, 0, formatReport(report))
  t.equal(report.turnedAway, 6, 'each client asked once and left')

  const refused = startLoad({ port, habits: ['new-connection'], ...SMALL })
  await t.rejects(refused.warm(200), { message: /not every habit was answered/ })
  t.strictSame(kinds(await refused.stop()), ['refused'])
})

t.test('latencies are told apart by phase', async (t) => {
  let delay = 0
  const server = http.createServer((req, res) => setTimeout(lossApp, delay, req, res))
  const port = await listen(t, server)
  const load = startLoad({ port, habits: ONE_AT_A_TIME, ...SMALL })
  await sleep(300)
  load.mark('reload')
  delay = 60
  await sleep(300)
  const { prompt, habits } = await load.stop()
  t.ok((prompt.reload?.p50 ?? 0) > 55 && (prompt.steady?.p50 ?? 99) < 55, JSON.stringify(prompt))
  t.strictSame(Object.keys(habits['keep-alive']?.latency ?? {}), ['steady', 'reload'])
})
