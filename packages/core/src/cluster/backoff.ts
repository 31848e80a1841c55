/** How long a place waits before it launches again after its processes ended badly. */
export interface Backoff {
  /** Delay before the second relaunch in a row, ms. */
  min: number
  /** The longest delay, ms; also how long a process must have served for its place to be in good standing again. */
  max: number
}

/**
 * The delay before the next launch in a place. The first end after good standing is replaced at once, because waiting
 * would only cost capacity; from the second on the delay doubles from `min` to `max`. Half of it is random, so that
 * places that fail for one shared cause do not come back in step ("equal jitter", M. Brooker, AWS Architecture Blog, 2015).
 * @param failures how many processes of the place ended badly in a row, at least 1
 * @param random a number from 0 to below 1
 * @returns ms
 */
export function backoffDelay(failures: number, { min, max }: Backoff, random: number): number {
  if (failures <= 1) return 0
  const delay = Math.min(max, min * 2 ** Math.min(failures - 2, 30))
  return delay / 2 + (delay / 2) * random
}

/**
 * For how long a process was of use, ms: while it served, and was not unhealthy.
 * @param now monotonic ms, as all times here
 */
export function goodFor(
  { servingAt, unproved, unhealthySince }: { servingAt?: number; unproved?: true; unhealthySince?: number },
  now: number
): number {
  return servingAt === undefined || unproved ? 0 : Math.min(now, unhealthySince ?? now) - servingAt
}
