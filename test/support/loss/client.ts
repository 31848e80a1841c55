import { type Connection, ExchangeError, openConnection, type Target } from './connection.js'
import type { Recorder } from './recorder.js'
import type { HabitName, LossKind } from './report.js'
import type { WireResponse } from './wire.js'

/** What all clients of a load share; all times in ms. */
export interface LoadContext {
  target: Target
  recorder: Recorder
  deadline: number
  think: readonly [number, number]
  pace: number
  /** Aborted by stop(): finish what is in flight, begin nothing new. */
  stopping: AbortSignal
  /** Whether a refusal means that the server has closed as expected. */
  expectsClose(): boolean
}

/** One request: how it is written, and the only right answer. */
export interface Request {
  send(connection: Connection): void | Promise<void>
  expected: string
}

// A kept connection that ends so soon after a request was sent on it was closed for being idle; later, it was cut off.
const IDLE_RACE_MS = 100
// Between two attempts of a client that is refused: it should not count a thousand losses where a user makes one.
const REFUSED_PAUSE = 20
const CLIENT_ERRORS = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'])

/** One client with one habit: opens connections, sends, judges the answers and tells the recorder. */
export class Client {
  #leftForGood = false

  constructor(
    readonly context: LoadContext,
    readonly habit: HabitName,
    readonly random: () => number
  ) {}

  get stopping(): boolean {
    return this.context.stopping.aborted || this.#leftForGood
  }

  /** Waits so many ms, or until the load stops. */
  sleep(ms: number): Promise<void> {
    const { stopping } = this.context
    if (stopping.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        stopping.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      stopping.addEventListener('abort', done, { once: true })
    })
  }

  /** A new connection; undefined when there is none to be had, which has been counted then. */
  async open(): Promise<Connection | undefined> {
    const { target, deadline, recorder } = this.context
    const phase = recorder.phase
    try {
      const connection = await openConnection(target, deadline)
      recorder.connected(this.habit)
      return connection
    } catch (error) {
      await this.notConnected(error, phase)
      return undefined
    }
  }

  /** Counts a failed attempt to connect, and pauses. */
  async notConnected(error: unknown, phase: string): Promise<void> {
    if (!(error instanceof ExchangeError)) throw error
    const { recorder } = this.context
    const gone = error.code === 'ECONNREFUSED' || error.code === 'ENOENT'
    if (gone && this.context.expectsClose()) {
      this.#leftForGood = true
      return recorder.turnedAway()
    }
    if (CLIENT_ERRORS.has(error.code ?? '')) recorder.clientError(error.message)
    else recorder.lost(this.habit, phase, error.how === 'deadline' ? 'unanswered' : 'refused', error.message)
    await this.sleep(REFUSED_PAUSE)
  }

  /** The kept connection if the server would still take a request on it, else a new one. */
  async keepOrOpen(kept: Connection | undefined): Promise<Connection | undefined> {
    if (kept !== undefined) {
      if (await kept.look()) return kept
      kept.leave()
    }
    return this.open()
  }

  /** Sends one request and waits for its answer. True when it was right. `since` is when the client began (ms). */
  async exchange(connection: Connection, request: Request, since = performance.now()): Promise<boolean> {
    const { recorder, deadline } = this.context
    const { phase } = recorder
    const { reused } = connection
    const sent = performance.now()
    await request.send(connection)
    return this.settle(connection, request.expected, { phase, since, sent, reused, until: sent + deadline })
  }

  /** Waits for one answer to a request that was sent, judges and counts it. */
  async settle(connection: Connection, expected: string, sending: Sending): Promise<boolean> {
    const { recorder } = this.context
    try {
      const fault = judge(await connection.receive(sending.until), expected)
      if (fault === undefined) {
        recorder.answered(this.habit, sending.phase, performance.now() - sending.since)
        return true
      }
      recorder.lost(this.habit, sending.phase, fault.kind, fault.detail)
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error
      recorder.lost(this.habit, sending.phase, kindOf(error, sending), describe(error, sending))
      connection.leave(0)
    }
    return false
  }
}

/** When and on what a request was sent; times in ms on performance.now()'s clock. */
export interface Sending {
  phase: string
  since: number
  sent: number
  until: number
  reused: boolean
}

/** What is wrong with a whole answer; undefined when it is right. */
export function judge(
  response: Pick<WireResponse, 'status' | 'body'>,
  expected: string
): { kind: LossKind; detail: string } | undefined {
  const body = response.body.toString()
  if (response.status !== 200) return { kind: 'status', detail: `${response.status} ${body.slice(0, 100)}` }
  if (body === expected) return undefined
  return {
    kind: 'wrong',
    detail: `expected ${JSON.stringify(expected.slice(0, 100))}, got ${JSON.stringify(body.slice(0, 100))}`
  }
}

function kindOf(error: ExchangeError, { reused, sent }: Sending): LossKind {
  if (error.how === 'deadline') return 'unanswered'
  if (error.how === 'after-close') return 'after-close'
  if (error.how === 'wire') return 'wrong'
  if (error.started) return 'cut'
  if (reused && error.at - sent < IDLE_RACE_MS) return 'idle-race'
  return error.how === 'error' ? 'reset' : 'closed'
}

function describe(error: ExchangeError, { reused, sent }: Sending): string {
  const where = reused ? 'kept connection' : 'new connection'
  return `${error.message} (${where}, ${(error.at - sent).toFixed(1)} ms after sending)`
}
