import type { Change, Pull, Pulled } from '../messages.js'
import { type AppMetric, emptyRequests, parseMetric, type RequestReport } from '../report.js'

/** What one worker has counted, or all those that have left. */
export interface Account {
  requests: RequestReport
  metrics: Map<string, AppMetric>
}

/** What was counted by a moment: consistent, because it is looked at only when all that had changed by then was told. */
export interface Counted {
  departed: Account
  /** By the worker's id. */
  workers: ReadonlyMap<number, Account>
  pulled: Pulled
}

/** The supervisor's ledger as this process has it: asked for what has changed, whenever somebody wants to see it. */
export class Mirror {
  readonly #bounds: number
  readonly #ask: (pull: Pull) => void
  readonly #accounts = new Map<number, Account>()
  #sequence = 0
  #request = 0
  #settle: ((pulled: Pulled) => void) | undefined

  /** @param bounds how many the histogram has @param ask sends the question */
  constructor(bounds: number, ask: (pull: Pull) => void) {
    this.#bounds = bounds
    this.#ask = ask
  }

  /**
   * Asks the supervisor until it has told all; one question at a time.
   * @param timeout of each answer, ms
   * @throws Error when it does not answer in that time
   */
  async pull(timeout: number): Promise<Counted> {
    let pulled = await this.#next(timeout)
    while (pulled.more) pulled = await this.#next(timeout)
    const workers = pulled.workers.map((worker) => [worker, this.#account(worker)] as const)
    return { departed: this.#account(0), workers: new Map(workers), pulled }
  }

  #next(timeout: number): Promise<Pulled> {
    this.#request += 1
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the supervisor has not answered in ${timeout} ms`)), timeout)
      this.#settle = (pulled) => {
        clearTimeout(timer)
        resolve(pulled)
      }
      this.#ask({ request: this.#request, since: this.#sequence })
    })
  }

  change({ worker, requests, metrics = {} }: Change): void {
    const account = this.#account(worker)
    if (requests) account.requests = requests
    for (const [key, text] of Object.entries(metrics)) {
      const metric = text === null ? undefined : readMetric(text)
      if (metric) account.metrics.set(key, metric)
      else account.metrics.delete(key)
    }
  }

  pulled(pulled: Pulled): void {
    // Of an answer that came too late, the changes hold all the same.
    this.#sequence = pulled.sequence
    const present = new Set([0, ...pulled.workers])
    for (const worker of this.#accounts.keys()) if (!present.has(worker)) this.#accounts.delete(worker)
    if (pulled.request === this.#request) this.#settle?.(pulled)
  }

  #account(worker: number): Account {
    let account = this.#accounts.get(worker)
    if (!account) {
      account = { requests: emptyRequests(this.#bounds), metrics: new Map() }
      this.#accounts.set(worker, account)
    }
    return account
  }
}

/** It comes from a worker, and was not read before. */
function readMetric(text: string): AppMetric | undefined {
  try {
    return parseMetric(text)
  } catch {
    return undefined
  }
}
