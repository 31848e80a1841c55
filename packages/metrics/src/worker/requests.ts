import { ABORTED, ENDS, METHODS, type RequestReport } from '../report.js'

/**
 * Counts requests in arrays that are made once: nothing is allocated while a request is served.
 */
export class RequestCounts {
  readonly #bounds: readonly number[]
  readonly #counts = new Float64Array(METHODS.length * ENDS.length)
  readonly #buckets: Float64Array
  /** Requests by method that have no end yet. */
  readonly #open = new Float64Array(METHODS.length)
  #micros = 0
  /** How many those are in all. */
  pending = 0
  /** Raised with whatever is counted. */
  version = 0

  /** @param bounds of the histogram, seconds, rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#buckets = new Float64Array(bounds.length + 1)
  }

  /** @param method its index; see `methodIndex` */
  began(method: number): void {
    this.#open[method] = (this.#open[method] as number) + 1
    this.pending += 1
  }

  /** @param duration ms */
  answered(method: number, status: number, duration: number): void {
    const end = status >= 100 && status < 600 ? ((status / 100) | 0) - 1 : 4
    const at = method * ENDS.length + end
    this.#counts[at] = (this.#counts[at] as number) + 1
    const seconds = duration / 1_000
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1
    this.#micros += Math.round(duration * 1_000)
    this.#ended(method)
  }

  /** Its answer was cut: how long it took says nothing. */
  aborted(method: number): void {
    const at = method * ENDS.length + ABORTED
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#ended(method)
  }

  /** The process ends: what is open is cut with it. */
  abandon(): void {
    for (const [method, open] of this.#open.entries()) {
      for (let left = open; left > 0; left -= 1) this.aborted(method)
    }
  }

  /** In a process that was forked: what was counted is the other's. */
  clear(): void {
    this.#counts.fill(0)
    this.#buckets.fill(0)
    this.#open.fill(0)
    this.pending = 0
    this.#micros = 0
    this.version = 0
  }

  #ended(method: number): void {
    this.#open[method] = (this.#open[method] as number) - 1
    this.pending -= 1
    this.version += 1
  }

  /** @param active for how long anything was counted, ms */
  report(active: number): RequestReport {
    return { counts: [...this.#counts], buckets: [...this.#buckets], micros: this.#micros, active }
  }
}

/** The place of a method among those that are told apart. */
export function methodIndex(method: string | undefined): number {
  return method === METHODS[0] ? 0 : (INDEX.get(method) ?? OTHER)
}

const OTHER = METHODS.length - 1
const INDEX = new Map<string | undefined, number>(METHODS.map((method, index) => [method, index]))
