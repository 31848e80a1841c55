import { type AppReport, addRequests, emptyRequests, parseMetric, type RequestReport } from '../report.js'
import { Departed } from './departed.js'

/** What the service gets: whose, and what of it has changed. Worker 0 is all those that have left. */
export interface Change {
  worker: number
  requests?: RequestReport
  metrics?: AppReport
}

/**
 * The last that each worker has told, and the sum of those that have left: kept in the supervisor, because it outlives
 * both workers and the service. What a worker tells of its app's metrics is read here only once it has left.
 */
export class Ledger {
  readonly #workers = new Map<number, Account>()
  readonly #departed: Departed
  #requests: { data: RequestReport; at: number }
  #sequence = 0

  /** @param bounds how many the histogram of request durations has */
  constructor(bounds: number) {
    this.#requests = { data: emptyRequests(bounds), at: 0 }
    this.#departed = new Departed()
  }

  /** Workers that have not left. */
  get workers(): number[] {
    return [...this.#workers.keys()]
  }

  launched(worker: number): void {
    this.#workers.set(worker, { requests: undefined, metrics: new Map(), size: 0 })
  }

  /** @param data counted since the worker began */
  requests(worker: number, data: RequestReport): void {
    const account = this.#workers.get(worker)
    if (account) account.requests = { data, at: this.#next() }
  }

  metrics(worker: number, report: AppReport): void {
    const account = this.#workers.get(worker)
    if (!account) return
    const at = this.#next()
    for (const [key, text] of Object.entries(report)) {
      const before = account.metrics.get(key)
      const size = account.size + (text?.length ?? 0) - (before?.text?.length ?? 0)
      // The sender may be any code in a worker: it is not to fill the supervisor's memory.
      if (size > LARGEST || (!before && account.metrics.size >= MOST)) continue
      account.size = size
      account.metrics.set(key, { text, at })
    }
  }

  /** What it counted is kept: sums must never fall. */
  left(worker: number): void {
    const account = this.#workers.get(worker)
    if (!account) return
    this.#workers.delete(worker)
    const at = this.#next()
    if (account.requests) {
      addRequests(this.#requests.data, account.requests.data)
      this.#requests.at = at
    }
    for (const { text } of account.metrics.values()) {
      if (text === null) continue
      try {
        this.#departed.add(parseMetric(text), at)
      } catch {
        // No metric after all: it was shown to nobody either.
      }
    }
  }

  /** @returns what has changed after `since`, in parts that fit into a message each, and the number to ask with next */
  changes(since: number): { changes: Change[]; sequence: number } {
    const changes: Change[] = []
    if (this.#requests.at > since) changes.push({ worker: 0, requests: this.#requests.data })
    changes.push(...inParts(0, this.#departed.changes(since)))
    for (const [worker, { requests, metrics }] of this.#workers) {
      if (requests && requests.at > since) changes.push({ worker, requests: requests.data })
      const changed: [string, string | null][] = []
      for (const [key, { text, at }] of metrics) if (at > since) changed.push([key, text])
      changes.push(...inParts(worker, changed))
    }
    return { changes, sequence: this.#sequence }
  }

  #next(): number {
    this.#sequence += 1
    return this.#sequence
  }
}

interface Account {
  requests: { data: RequestReport; at: number } | undefined
  metrics: Map<string, { text: string | null; at: number }>
  /** Letters. */
  size: number
}

function inParts(worker: number, changed: Iterable<[string, string | null]>): Change[] {
  const parts: Change[] = []
  let metrics: AppReport = {}
  let size = 0
  for (const [key, text] of changed) {
    metrics[key] = text
    size += key.length + (text?.length ?? 0)
    if (size < PART) continue
    parts.push({ worker, metrics })
    metrics = {}
    size = 0
  }
  return size > 0 ? [...parts, { worker, metrics }] : parts
}

/** Letters in one message; its largest metric comes on top, and escaping may double both. */
const PART = 200_000
/** Letters, and entries, of one worker's metrics. */
const LARGEST = 8_000_000
const MOST = 10_000
