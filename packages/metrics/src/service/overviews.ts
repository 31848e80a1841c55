import type { ClusterStatus } from '@mapache/core'
import type { Overview, Rates } from '../overview.js'
import { ABORTED, ENDS, type RequestReport } from '../report.js'
import { sumRequests } from './families.js'
import type { Counted } from './mirror.js'
import { readiness } from './readiness.js'

/** What a moment is made of. */
export interface Snapshot {
  counted: Counted
  status: ClusterStatus
}

interface Measured {
  rates: Rates
  buckets: number[]
  /** So many overviews ago it was measured. */
  unchanged: number
}

/** Makes overviews, one after the other: rates are of what was counted between two of them. */
export class Overviews {
  readonly #bounds: readonly number[]
  #before = new Map<number, RequestReport>()
  #rates = new Map<number, Measured>()

  /** @param bounds of the histogram, seconds */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  /** @param time ms since 1970 */
  make({ counted, status }: Snapshot, time: number): Overview {
    const workers = status.processes.filter(({ role }) => role === 'worker')
    this.#update(counted)
    const none: Rates = { requestsPerSecond: 0, p99: undefined }
    const buckets = new Array(this.#bounds.length + 1).fill(0)
    for (const { buckets: own } of this.#rates.values()) {
      for (const [index, count] of own.entries()) buckets[index] += count
    }
    const each = workers.map(({ id, generation, place, vitals }) => ({
      id,
      generation,
      place,
      inFlight: vitals?.inFlight ?? 0,
      ...(this.#rates.get(id)?.rates ?? none)
    }))
    return {
      time,
      status,
      cluster: {
        requestsPerSecond: [...this.#rates.values()].reduce((sum, { rates }) => sum + rates.requestsPerSecond, 0),
        p99: p99(buckets, this.#bounds),
        inFlight: workers.reduce((sum, { vitals }) => sum + (vitals?.inFlight ?? 0), 0),
        connections: workers.reduce((sum, { vitals }) => sum + (vitals?.connections ?? 0), 0)
      },
      workers: each,
      totals: totals(counted, this.#bounds.length),
      ready: readiness(status)
    }
  }

  /** Nobody watches: what comes next has nothing to be compared with. */
  forget(): void {
    this.#before = new Map()
    this.#rates = new Map()
  }

  #update({ workers }: Counted): void {
    const rates = new Map<number, Measured>()
    for (const [id, { requests }] of workers) {
      const before = this.#before.get(id)
      const known = this.#rates.get(id)
      // Workers tell once a second, too, but not in step: once without news is no silence.
      if (before && requests.active === before.active && known && known.unchanged < PATIENCE) {
        rates.set(id, { ...known, unchanged: known.unchanged + 1 })
      } else if (before) {
        const buckets = requests.buckets.map((count, index) => count - (before.buckets[index] ?? 0))
        const count = total(requests) - total(before)
        const seconds = (requests.active - before.active) / 1_000
        const requestsPerSecond = seconds > 0 ? count / seconds : 0
        rates.set(id, { rates: { requestsPerSecond, p99: p99(buckets, this.#bounds) }, buckets, unchanged: 0 })
      }
    }
    this.#rates = rates
    this.#before = new Map([...workers].map(([id, { requests }]) => [id, requests]))
  }
}

/** @returns the upper end of the bucket in which the 99th of 100 is, ms; of the last, its lower end */
export function p99(buckets: readonly number[], bounds: readonly number[]): number | undefined {
  const all = buckets.reduce((sum, count) => sum + count, 0)
  if (all === 0) return undefined
  let below = 0
  const at = buckets.findIndex((count) => {
    below += count
    return below >= all * 0.99
  })
  return (bounds[at] ?? bounds.at(-1) ?? 0) * 1_000
}

function totals(counted: Counted, bounds: number): Overview['totals'] {
  const { counters } = counted.pulled
  const requests = sumRequests(counted, bounds)
  const kinds = Object.values(counters.reloads)
  return {
    requests: total(requests),
    serverErrors: ofEnd(requests, ENDS.indexOf('5xx')),
    aborted: ofEnd(requests, ABORTED),
    crashes: Object.values(counters.crashes).reduce((sum, count) => sum + count, 0),
    restarts: counters.restarts,
    reloads: {
      done: kinds.reduce((sum, { done }) => sum + done, 0),
      failed: kinds.reduce((sum, { failed }) => sum + failed, 0),
      rolledback: counters.rolledback
    }
  }
}

function total({ counts }: RequestReport): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

function ofEnd({ counts }: RequestReport, end: number): number {
  return counts.reduce((sum, count, index) => (index % ENDS.length === end ? sum + count : sum), 0)
}

/** Overviews. */
const PATIENCE = 1
