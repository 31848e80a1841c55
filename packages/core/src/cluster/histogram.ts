/** How many of a duration there were, by bucket. Sparse: an app's answers fall into few. */
export type Buckets = Map<number, number>

/**
 * The bucket of a duration: eight an octave, so that none is wider than a tenth of what is in it.
 * @param ms what is below 0.1 ms counts as that, what is above two minutes as those
 */
export function bucketOf(ms: number): number {
  if (!(ms > SHORTEST)) return 0
  return Math.min(LAST, Math.floor(Math.log2(ms / SHORTEST) * PER_OCTAVE))
}

/** The duration in the middle of a bucket, ms. */
export function middleOf(bucket: number): number {
  return SHORTEST * 2 ** ((bucket + 0.5) / PER_OCTAVE)
}

/** Adds what was counted elsewhere. */
export function addBuckets(to: Buckets, counted: Iterable<readonly [bucket: number, count: number]>): void {
  for (const [bucket, count] of counted) to.set(bucket, (to.get(bucket) ?? 0) + count)
}

/**
 * The duration that so large a share did not exceed.
 * @param share 0 to 1
 * @returns ms; undefined when nothing was counted
 */
export function quantile(buckets: Buckets, share: number): number | undefined {
  return atRank(buckets, Math.ceil(countOf(buckets) * share))
}

/**
 * The same at the lower end of its 95 % interval: so few durations may lie beyond a high quantile that two slow ones by
 * chance would move it.
 */
export function lowQuantile(buckets: Buckets, share: number): number | undefined {
  const count = countOf(buckets)
  return atRank(buckets, Math.floor(count * share - Z95 * Math.sqrt(count * share * (1 - share))))
}

function countOf(buckets: Buckets): number {
  let sum = 0
  for (const count of buckets.values()) sum += count
  return sum
}

function atRank(buckets: Buckets, rank: number): number | undefined {
  let below = 0
  for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
    below += count
    if (below >= Math.max(1, rank)) return middleOf(bucket)
  }
  return undefined
}

const PER_OCTAVE = 8
/** Milliseconds. */
const SHORTEST = 0.1
const LONGEST = 120_000
/** The highest bucket's number. */
export const LAST = Math.floor(Math.log2(LONGEST / SHORTEST) * PER_OCTAVE)
/** Standard deviations on either side of a 95 % interval. */
export const Z95 = 1.96
