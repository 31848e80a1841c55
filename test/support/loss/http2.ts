import http2 from 'node:http2'
import { rootBody, slowBody, streamBody } from './answers.js'
import { type Client, judge } from './client.js'
import { connectSocket, ExchangeError, type Target } from './connection.js'
import type { LossKind } from './report.js'

const STREAMS = 5
const { NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = http2.constants

/** Several streams at a time on one session, a new session when the server has said GOAWAY or closed an idle one. */
export async function http2Streams(client: Client): Promise<void> {
  let session: Session | undefined
  while (!client.stopping) {
    if (session === undefined || !session.usable) {
      session = await open(client)
      if (session === undefined) continue
    }
    const current = session
    await Promise.all(Array.from({ length: STREAMS }, (_, index) => exchange(client, current, ask(client, index))))
    await client.sleep(client.context.pace)
  }
  session?.close()
}

class Session {
  /** The last stream that the server will answer, once it has said GOAWAY. */
  lastStream = Number.POSITIVE_INFINITY

  constructor(readonly http2: http2.ClientHttp2Session) {
    http2.on('goaway', (_code: number, lastStream?: number) => {
      this.lastStream = Math.min(this.lastStream, lastStream ?? 0)
    })
    // Each of its streams tells of the failure, and is counted; the session must only not throw.
    http2.on('error', () => {})
  }

  get usable(): boolean {
    return !this.http2.closed && !this.http2.destroyed && this.lastStream === Number.POSITIVE_INFINITY
  }

  close(): void {
    this.http2.close()
  }
}

async function open(client: Client): Promise<Session | undefined> {
  const { target, deadline, recorder } = client.context
  const { phase } = recorder
  try {
    const session = new Session(await connect(target, deadline))
    recorder.connected(client.habit)
    return session
  } catch (error) {
    await client.notConnected(error, phase)
    return undefined
  }
}

function connect(target: Target, deadline: number): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const authority = target.tls ? 'https://localhost' : 'http://localhost'
    const session = http2.connect(authority, { createConnection: () => connectSocket(target, 'h2') })
    const done = (error?: ExchangeError) => {
      clearTimeout(timer)
      session.off('error', onError).off('close', onClose)
      if (error === undefined) return resolve(session)
      session.on('error', () => {})
      session.destroy()
      reject(error)
    }
    const onError = (error: NodeJS.ErrnoException) =>
      done(new ExchangeError('connect', false, error.message, error.code))
    const onClose = () => done(new ExchangeError('connect', false, 'closed while connecting'))
    const late = () => done(new ExchangeError('deadline', false, `no session within ${deadline} ms`))
    const timer = setTimeout(late, deadline)
    session.once('error', onError).once('close', onClose)
    // The server's settings are its first word: only then is it known that someone has accepted.
    session.once('remoteSettings', () => done())
  })
}

interface Ask {
  path: string
  expected: string
}

function ask(client: Client, index: number): Ask {
  const n = Math.floor(client.random() * 2 ** 32).toString(36)
  if (index === 1) return { path: `/slow?ms=150&n=${n}`, expected: slowBody(n) }
  if (index === 2) return { path: `/stream?chunks=4&every=20&n=${n}`, expected: streamBody(4, n) }
  return { path: `/?n=${n}`, expected: rootBody(n) }
}

/** One stream, counted once it is over. Resolves in any case. */
function exchange(client: Client, session: Session, { path, expected }: Ask): Promise<void> {
  const { recorder, deadline } = client.context
  const { phase } = recorder
  const sent = performance.now()
  const lost = (kind: LossKind, detail: string) => recorder.lost(client.habit, phase, kind, `${detail} (${path})`)
  return new Promise((resolve) => {
    let stream: http2.ClientHttp2Stream
    try {
      stream = session.http2.request({ ':path': path })
    } catch {
      // The session is closing already, so nothing was sent.
      recorder.retried(client.habit)
      return resolve()
    }
    let status = 0
    let whole = false
    let late = false
    let failure = ''
    const parts: Buffer[] = []
    const timer = setTimeout(() => {
      late = true
      stream.close(http2.constants.NGHTTP2_CANCEL)
    }, deadline)
    stream.on('response', (headers) => {
      status = Number(headers[':status'])
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => {
      whole = true
    })
    stream.on('error', (error) => {
      failure = error.message
    })
    stream.on('close', () => {
      clearTimeout(timer)
      resolve()
      const code = stream.rstCode ?? NGHTTP2_NO_ERROR
      if (late) return lost('unanswered', `no whole answer within ${deadline} ms`)
      if (status === 0 && mayRetry(session, stream, code)) return recorder.retried(client.habit)
      if (status === 0)
        return lost(failure === '' ? 'closed' : 'reset', failure || 'the stream closed without an answer')
      if (!whole || code !== NGHTTP2_NO_ERROR) return lost('cut', failure || `the stream ended with code ${code}`)
      const fault = judge({ status, body: Buffer.concat(parts) }, expected)
      if (fault !== undefined) return lost(fault.kind, fault.detail)
      recorder.answered(client.habit, phase, performance.now() - sent)
    })
  })
}

/** Whether the protocol said that the server has not touched this stream, or it was never sent. */
function mayRetry(session: Session, stream: http2.ClientHttp2Stream, code: number): boolean {
  if (code === NGHTTP2_REFUSED_STREAM) return true
  return stream.pending || stream.id === undefined || stream.id > session.lastStream
}
