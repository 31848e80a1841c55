/** What a histogram says about itself; all times in ms. */
export interface LatencySummary {
  count: number
  mean: number
  p50: number
  p99: number
  p999: number
  max: number
}

// 64 steps for each doubling: a percentile is at most 1.6 % above the true one, whatever its size.
const STEP_BITS = 6
const STEPS = 2 ** STEP_BITS

/** A log-bucketed histogram of latencies: fixed memory however long the load runs. */
export class Histogram {
  readonly #buckets: number[] = []
  #count = 0
  #sum = 0
  #max = 0

  get count(): number {
    return this.#count
  }

  /** Adds one latency in ms. */
  add(ms: number): void {
    const bucket = bucketOf(Math.max(0, Math.round(ms * 1000)))
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1
    this.#count++
    this.#sum += ms
    if (ms > this.#max) this.#max = ms
  }

  /** Adds everything that another histogram holds. */
  merge(other: Histogram): void {
    other.#buckets.forEach((count, bucket) => {
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + count
    })
    this.#count += other.#count
    this.#sum += other.#sum
    this.#max = Math.max(this.#max, other.#max)
  }

  /** The latency in ms that the given share (0 to 1) of all requests did not exceed; 0 when empty. */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share)
    if (left <= 0) return 0
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      left -= this.#buckets[bucket] ?? 0
      if (left <= 0) return Math.min(upperEdge(bucket) / 1000, this.#max)
    }
    return this.#max
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: this.#max
    }
  }
}

function bucketOf(us: number): number {
  if (us < STEPS * 2) return us
  const doublings = Math.floor(Math.log2(us)) - STEP_BITS
  return doublings * STEPS + Math.floor(us / 2 ** doublings)
}

function upperEdge(bucket: number): number {
  if (bucket < STEPS * 2) return bucket
  const doublings = Math.floor(bucket / STEPS) - 1
  return (bucket - doublings * STEPS + 1) * 2 ** doublings - 1
}
