import type { ProcessInfo } from '@mapache/core'

/** How many requests a second each worker answers, from the totals that it reports once a second. */
export class Rates {
  readonly #last = new Map<number, { requests: number; at: number; rate: number | undefined }>()

  /** @param now monotonic, ms */
  take({ id, vitals }: Pick<ProcessInfo, 'id' | 'vitals'>, now: number): void {
    if (!vitals) return
    const { requests } = vitals
    const last = this.#last.get(id)
    // The same report again, seen by another way, says nothing new.
    if (last && requests === last.requests && now - last.at < REPORT / 2) return
    const rate = last && now > last.at ? Math.max(0, ((requests - last.requests) * 1_000) / (now - last.at)) : undefined
    this.#last.set(id, { requests, at: now, rate })
  }

  /** Of one process, requests a second; undefined until there were two reports. */
  of(id: number): number | undefined {
    return this.#last.get(id)?.rate
  }

  /** Of all processes that reported lately, requests a second. @param now monotonic, ms */
  total(now: number): number {
    let sum = 0
    for (const [id, { at, rate }] of this.#last) {
      if (now - at > STALE) this.#last.delete(id)
      else sum += rate ?? 0
    }
    return sum
  }
}

/** Milliseconds between two reports of a worker. */
const REPORT = 1_000
/** Milliseconds after which a worker's last report no longer counts. */
const STALE = 3_500
