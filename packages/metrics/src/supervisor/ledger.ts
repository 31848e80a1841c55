import { type AppReport, addRequests, emptyRequests, parseMetric, type RequestReport } from '../report.js'
import { Departed } from './departed.js'
import { bytesOf, type Change, type Item, Journal, LARGEST_TEXT } from './journal.js'

/**
 * The last that each worker has told, and the sum of those that have left: kept in the supervisor, because it outlives
 * both workers and the service. What a worker tells of its app's metrics is read here only once it has left.
 */
export class Ledger {
  readonly #journal = new Journal()
  readonly #workers = new Map<number, Account>()
  readonly #departed = new Departed(this.#journal)
  readonly #requests: RequestItem
  /** Metrics of workers that have left, which were not added up yet. */
  #unread: string[] = []
  #reading: NodeJS.Immediate | undefined
  #waiting: (() => void)[] = []

  /** @param bounds how many the histogram of request durations has */
  constructor(bounds: number) {
    this.#requests = new RequestItem(0, emptyRequests(bounds))
  }

  /** Workers that have not left. */
  get workers(): number[] {
    return [...this.#workers.keys()]
  }

  launched(worker: number): void {
    this.#workers.set(worker, { requests: undefined, metrics: new Map(), bytes: 0 })
  }

  /** @param data counted since the worker began */
  requests(worker: number, data: RequestReport): void {
    const account = this.#workers.get(worker)
    if (!account) return
    account.requests ??= new RequestItem(worker, data)
    account.requests.data = data
    this.#journal.touch(account.requests)
  }

  metrics(worker: number, report: AppReport): void {
    const account = this.#workers.get(worker)
    if (!account) return
    for (const [key, text] of Object.entries(report)) {
      const before = account.metrics.get(key)
      const bytes = bytesOf({ key, text })
      const sum = account.bytes + bytes - (before?.bytes ?? 0)
      // The sender may be any code in a worker: it is not to fill the supervisor's memory.
      if (bytes > LARGEST_TEXT || sum > LARGEST || (!before && account.metrics.size >= MOST)) continue
      const item = before ?? new MetricItem(worker, key)
      item.text = text
      item.bytes = bytes
      account.bytes = sum
      account.metrics.set(key, item)
      this.#journal.touch(item)
    }
  }

  /** What it counted is kept: sums must never fall. */
  left(worker: number): void {
    const account = this.#workers.get(worker)
    if (!account) return
    this.#workers.delete(worker)
    if (account.requests) {
      this.#journal.drop(account.requests)
      addRequests(this.#requests.data, account.requests.data)
      this.#journal.touch(this.#requests)
    }
    for (const item of account.metrics.values()) {
      this.#journal.drop(item)
      if (item.text !== null) this.#unread.push(item.text)
    }
    if (!this.#reading) this.#read()
  }

  /**
   * Calls it once all that those who left have counted is added up: at once, nearly always. Until then what they counted is
   * in no account, and a sum would have fallen.
   */
  whenRead(fn: () => void): void {
    if (this.#reading) this.#waiting.push(fn)
    else fn()
  }

  /**
   * What has changed after `since`: a batch of it.
   * @returns its parts, which fit into a message each; the number to ask with next, and whether to ask at once
   */
  changes(since: number): { changes: Change[]; sequence: number; more: boolean } {
    return this.#journal.batch(since)
  }

  /** Some at a time: what a worker leaves may be millions of letters, and the supervisor has others to answer to. */
  #read(): void {
    this.#reading = undefined
    let letters = 0
    let done = 0
    while (done < this.#unread.length && letters < SLICE) {
      const text = this.#unread[done] as string
      letters += text.length
      done += 1
      try {
        this.#departed.add(parseMetric(text))
      } catch {
        // No metric after all: it was shown to nobody either.
      }
    }
    this.#unread = this.#unread.slice(done)
    if (this.#unread.length > 0) {
      this.#reading = setImmediate(() => this.#read())
      return
    }
    for (const fn of this.#waiting.splice(0)) fn()
  }
}

class RequestItem implements Item {
  at = 0
  constructor(
    readonly worker: number,
    public data: RequestReport
  ) {}

  tell() {
    return { requests: this.data }
  }
}

class MetricItem implements Item {
  at = 0
  bytes = 0
  text: string | null = null
  constructor(
    readonly worker: number,
    readonly key: string
  ) {}

  tell() {
    return { key: this.key, text: this.text }
  }
}

interface Account {
  requests: RequestItem | undefined
  metrics: Map<string, MetricItem>
  bytes: number
}

/** Bytes, and entries, of one worker's metrics. */
const LARGEST = 8_000_000
const MOST = 10_000
/** Letters that are read at a time; a metric's text may come on top. */
const SLICE = 256_000
