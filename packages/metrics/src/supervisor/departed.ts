import { addExactly } from '../exact-sum.js'
import type { AppMetric, AppSample } from '../report.js'

interface Sum {
  name: string
  labels: string
  /** Numbers whose sum is exact: see `addExactly`. */
  parts: number[]
}

/** The app's own counters, histograms and summaries of workers that have left, summed. */
export class Departed {
  readonly #metrics = new Map<string, { metric: Omit<AppMetric, 'samples'>; sums: Map<string, Sum>; at: number }>()

  #sums = 0

  /** @param at the number of this change */
  add({ samples, ...metric }: AppMetric, at: number): void {
    if (metric.type === 'gauge') return
    let known = this.#metrics.get(metric.name)
    // New code may measure something else under the same name.
    if (known?.metric.type !== metric.type) {
      this.#sums -= known?.sums.size ?? 0
      known = { metric, sums: new Map(), at }
      this.#metrics.set(metric.name, known)
    }
    known.at = at
    for (const [name, labels, value] of samples) {
      if (typeof value !== 'number' || !Number.isFinite(value)) continue
      const key = `${name}{${labels}`
      const sum = known.sums.get(key)
      if (sum) addExactly(sum.parts, value)
      else if (this.#sums < MOST) {
        known.sums.set(key, { name, labels, parts: [value] })
        this.#sums += 1
      }
    }
  }

  /** @returns those that changed after `since`, as workers tell theirs */
  *changes(since: number): Iterable<[string, string]> {
    for (const [name, { metric, sums, at }] of this.#metrics) {
      if (at <= since) continue
      const samples = [...sums.values()].flatMap(({ name, labels, parts }) => {
        return parts.map((part): AppSample => [name, labels, part])
      })
      for (let from = 0; from < samples.length; from += PART) {
        yield [`${name}#${from / PART}`, JSON.stringify({ ...metric, samples: samples.slice(from, from + PART) })]
      }
    }
  }
}

/** Labels that name each visitor, say, would fill the supervisor's memory in time. */
const MOST = 100_000
/** So many samples of one metric go in a text. */
const PART = 200
