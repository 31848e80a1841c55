import { setTimeout as sleep } from 'node:timers/promises'
import { pipelineBody, rootBody, slowBody, streamBody, uploadBody } from './answers.js'
import type { Client, Request } from './client.js'
import type { Connection } from './connection.js'
import type { HabitName } from './report.js'

const UPLOAD = { bytes: 16 * 1024, pieces: 16, ms: 320 }
const PIPELINED = 3

/** What each habit does, from its first request to the end of the load. */
export const HTTP1_RUNNERS: Record<Exclude<HabitName, 'http2'>, (client: Client) => Promise<void>> = {
  'new-connection': newConnection,
  'keep-alive': (client) =>
    keepAlive(
      client,
      () => rootRequest(client),
      () => client.context.pace
    ),
  'think-time': (client) =>
    keepAlive(
      client,
      () => rootRequest(client),
      () => thinkTime(client)
    ),
  'connect-then-wait': connectThenWait,
  // Half of these leave after an answer, so that the long ones meet new and kept connections alike.
  'slow-response': (client) =>
    keepAlive(
      client,
      () => slowRequest(client),
      () => 0,
      0.5
    ),
  'slow-upload': (client) =>
    keepAlive(
      client,
      () => uploadRequest(client),
      () => 0,
      0.5
    ),
  pipelined: (client) => pipelined(client, false),
  'pipelined-apart': (client) => pipelined(client, true),
  streamed: (client) =>
    keepAlive(
      client,
      () => streamRequest(client),
      () => 0,
      0.5
    )
}

async function newConnection(client: Client): Promise<void> {
  while (!client.stopping) {
    const since = performance.now()
    const connection = await client.open()
    if (connection === undefined) continue
    // Half of them say that they will leave, half just do.
    await client.exchange(connection, rootRequest(client, client.random() < 0.5), since)
    connection.leave()
    await client.sleep(client.context.pace)
  }
}

async function keepAlive(client: Client, request: () => Request, pause: () => number, leaving = 0): Promise<void> {
  let connection: Connection | undefined
  while (!client.stopping) {
    connection = await client.keepOrOpen(connection)
    if (connection === undefined) continue
    await client.exchange(connection, request())
    if (client.random() < leaving) connection.leave()
    const ms = pause()
    if (ms > 0) await client.sleep(ms)
  }
  connection?.leave()
}

async function connectThenWait(client: Client): Promise<void> {
  while (!client.stopping) {
    const connection = await client.open()
    if (connection === undefined) continue
    // Not cut short by a stop: the server has seen a connection, so it is owed a request.
    await sleep(200)
    await connection.look()
    await client.exchange(connection, rootRequest(client))
    connection.leave()
  }
}

/** Three at once. Apart, a client stops writing when it sees `Connection: close`; what it had written is still owed. */
async function pipelined(client: Client, apart: boolean): Promise<void> {
  let connection: Connection | undefined
  while (!client.stopping) {
    connection = await client.keepOrOpen(connection)
    if (connection === undefined) continue
    await pipelineOnce(client, connection, apart)
    if (client.random() < 0.3) connection.leave()
    await client.sleep(10 + client.random() * 40)
  }
  connection?.leave()
}

async function pipelineOnce(client: Client, connection: Connection, apart: boolean): Promise<void> {
  const { recorder, deadline } = client.context
  const { phase } = recorder
  const { reused } = connection
  // Answers that take a moment, so that the later requests arrive while the first is being worked on.
  const ms = apart ? 10 : Math.floor(client.random() * 6)
  const numbers = Array.from({ length: PIPELINED }, () => ticket(client))
  const lines = numbers.map((n) => get(`/pipeline?n=${n}&ms=${ms}`))
  const since = performance.now()
  const expected: string[] = []
  if (apart) {
    for (const [index, line] of lines.entries()) {
      if (index > 0) {
        await sleep(client.random() * 3)
        if (!(await connection.look())) break
      }
      connection.write(line)
      expected.push(pipelineBody(numbers[index] ?? ''))
    }
  } else {
    connection.write(lines.join(''))
    expected.push(...numbers.map(pipelineBody))
  }
  let answered = 0
  for (const body of expected) {
    // Also after a failure: each request that was sent is counted, and fails at once on a dead connection.
    if (await client.settle(connection, body, { phase, since, sent: since, reused, until: since + deadline }))
      answered++
  }
  recorder.pipelined(expected.length, answered)
}

function rootRequest(client: Client, close = false): Request {
  const n = ticket(client)
  return plain(get(`/?n=${n}`, close), rootBody(n))
}

function slowRequest(client: Client): Request {
  const n = ticket(client)
  return plain(get(`/slow?ms=1200&n=${n}`), slowBody(n))
}

function streamRequest(client: Client): Request {
  const n = ticket(client)
  return plain(get(`/stream?chunks=10&every=50&n=${n}`), streamBody(10, n))
}

function uploadRequest(client: Client): Request {
  const body = Buffer.from(Array.from({ length: UPLOAD.bytes }, () => client.random() * 256))
  const chunked = client.random() < 0.5
  const framing = chunked ? 'transfer-encoding: chunked' : `content-length: ${body.length}`
  const size = body.length / UPLOAD.pieces
  return {
    expected: uploadBody(body),
    async send(connection) {
      connection.write(
        `POST /upload HTTP/1.1\r\nhost: loss\r\ncontent-type: application/octet-stream\r\n${framing}\r\n\r\n`
      )
      for (let piece = 0; piece < UPLOAD.pieces; piece++) {
        await sleep(UPLOAD.ms / UPLOAD.pieces)
        const bytes = body.subarray(piece * size, (piece + 1) * size)
        connection.write(
          chunked ? Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]) : bytes
        )
      }
      if (chunked) connection.write('0\r\n\r\n')
    }
  }
}

function plain(bytes: string, expected: string): Request {
  return { expected, send: (connection) => connection.write(bytes) }
}

function get(path: string, close = false): string {
  return `GET ${path} HTTP/1.1\r\nhost: loss\r\n${close ? 'connection: close\r\n' : ''}\r\n`
}

/** A number that no other request is likely to carry, so that answers cannot be mixed up unnoticed. */
function ticket(client: Client): string {
  return Math.floor(client.random() * 2 ** 32).toString(36)
}

function thinkTime(client: Client): number {
  const [least, most] = client.context.think
  return least + client.random() * (most - least)
}
