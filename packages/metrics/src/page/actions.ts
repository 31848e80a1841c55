import type { IncomingMessage } from 'node:http'
import type { Cluster } from '@mapache/core'
import { keyOf } from '@mapache/shell/credential'
import type { Outcome } from './client/wire.js'
import type { Credential } from './credential.js'
import { checkCaller, passwordOf } from './guard.js'
import { oneLine, stackOf } from './text.js'

export interface ActionsOptions {
  cluster: Cluster
  /** Without it nothing can be done. */
  credential: Credential | undefined
  /** Told of each action and of each refused password: who, from where. */
  audit(level: 'info' | 'warn', message: string): void
  outcome(outcome: Outcome): void
}

/** What is answered to a call. */
export interface Reply {
  status: number
  body: { ok: true } | { error: string }
  /** ms. */
  retryAfter?: number
}

/** Does what the buttons ask for: checks who asks, begins it, and answers. What comes of it is told to the pages. */
export class Actions {
  /** How many tries wait for their answer, by what their address counts as when guesses are slowed down. */
  readonly #waiting = new Map<string, number>()

  constructor(readonly options: ActionsOptions) {}

  /** @param name what stands behind `/actions/` */
  async call(name: string, request: IncomingMessage): Promise<Reply> {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
    if (!action) return refuse(404, 'There is no such action.')
    if (request.method !== 'POST') return refuse(405, 'Use POST.')
    const refusal = checkCaller(request.headers)
    if (refusal) return refuse(refusal.status, refusal.error)
    if (!this.options.credential) return refuse(403, NO_CREDENTIAL)
    const body = await readBody(request)
    if (typeof body === 'number') return refuse(body, BODY_ERRORS[body])
    const denied = await this.#authenticate(this.options.credential, request)
    if (denied) return denied
    const { what, run, error, told } = action(body)
    if (!run) return refuse(400, error ?? '')
    this.options.audit('info', `${what} asked for from the dashboard by ${callerOf(request)}`)
    void this.#perform(what, run, told)
    return { status: 202, body: { ok: true } }
  }

  async #authenticate(credential: Credential, request: IncomingMessage): Promise<Reply | undefined> {
    const password = passwordOf(request.headers)
    if (password === undefined) return refuse(401, 'The password is missing.')
    const address = request.socket.remoteAddress ?? ''
    const key = keyOf(address)
    const waiting = this.#waiting.get(key) ?? 0
    // Who guesses waits: the tries that are open must not add up, and those of one address not keep others out.
    if (waiting >= MOST_OF_ADDRESS || this.#waiting.size >= MOST_ADDRESSES) {
      return { ...refuse(429, 'Too many tries at once.'), retryAfter: 1_000 }
    }
    this.#waiting.set(key, waiting + 1)
    const left = new AbortController()
    const leave = () => left.abort()
    request.socket.once('close', leave)
    try {
      const verified = await credential.verify(password, address, left.signal)
      if (verified.ok) return
      const { retryAfter } = verified
      this.options.audit('warn', `wrong password on the dashboard by ${callerOf(request)}`)
      if (retryAfter === undefined) return refuse(401, 'The password is wrong.')
      const seconds = Math.max(1, Math.ceil(retryAfter / 1_000))
      return { ...refuse(429, `Too many wrong passwords. Try again in ${seconds} s.`), retryAfter }
    } finally {
      request.socket.off('close', leave)
      const others = (this.#waiting.get(key) ?? 1) - 1
      if (others > 0) this.#waiting.set(key, others)
      else this.#waiting.delete(key)
    }
  }

  /**
   * A reload may take longer than a connection, or than this process: its outcome goes to whoever looks then.
   * @param told an event tells of its success, and of a failure in one of its phases
   */
  async #perform(what: string, run: (cluster: Cluster) => Promise<unknown>, told = false): Promise<void> {
    try {
      await run(this.options.cluster)
      if (told) return
      this.options.outcome({ time: Date.now(), ok: true, message: `Done: ${what}` })
    } catch (thrown) {
      if (told && (thrown as { phase?: unknown } | null)?.phase !== undefined) return
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : undefined
      const message = oneLine(`Failed: ${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, 500)
      this.options.audit('warn', message)
      this.options.outcome({ time: Date.now(), ok: false, message, ...(cause ? { error: stackOf(cause) } : {}) })
    }
  }
}

interface Prepared {
  what: string
  run?(cluster: Cluster): Promise<unknown>
  error?: string
  told?: boolean
}

/** The actions, each with what it wants in the body. */
const ACTIONS: Record<string, (body: Body) => Prepared> = {
  reload: () => ({ what: 'reload', told: true, run: (cluster) => cluster.reload() }),
  refork: () => ({ what: 'refork', told: true, run: (cluster) => cluster.refork() }),
  rollback: () => ({ what: 'rollback', told: true, run: (cluster) => cluster.rollback() }),
  scale: ({ workers }: Body) => {
    const valid = typeof workers === 'number' && Number.isSafeInteger(workers) && workers > 0 && workers <= MOST_WORKERS
    if (!valid) return { what: 'scale', error: `workers must be a whole number from 1 to ${MOST_WORKERS}.` }
    return { what: `scale to ${workers}`, run: (cluster) => cluster.scale(workers) }
  },
  recycle: ({ id }: Body) => {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) {
      return { what: 'recycle', error: 'id must be the number of a process.' }
    }
    return { what: `recycle of process ${id}`, run: (cluster) => cluster.recycle(id) }
  }
}

type Body = Record<string, unknown>

/** @returns the object that was sent, or the status of the refusal */
async function readBody(request: IncomingMessage): Promise<Body | 400 | 408 | 413> {
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) return 413
  const late = AbortSignal.timeout(PATIENCE)
  const slow = () => request.destroy()
  late.addEventListener('abort', slow)
  try {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) {
      text += chunk
      if (text.length > MOST_BYTES) return 413
    }
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : 400
  } catch {
    return late.aborted ? 408 : 400
  } finally {
    late.removeEventListener('abort', slow)
  }
}

/** Who asks, as far as it can be known: the password is one for all. What a proxy says is a claim, and told as one. */
function callerOf({ socket, headers }: IncomingMessage): string {
  const claimed = headers['x-forwarded-for']
  return `${socket.remoteAddress ?? 'unknown'}${claimed ? ` (says it forwards for ${oneLine(String(claimed))})` : ''}`
}

function refuse(status: number, error: string): Reply {
  return { status, body: { error } }
}

const NO_CREDENTIAL = 'There is no password for actions: give the metrics module the option password.'
const BODY_ERRORS = {
  400: 'The body must be a JSON object.',
  408: 'The body did not come in time.',
  413: 'The body is too large.'
} as const
const MOST_BYTES = 1_024
const MOST_OF_ADDRESS = 3
const MOST_ADDRESSES = 64
const MOST_WORKERS = 10_000
/** ms. */
const PATIENCE = 5_000
