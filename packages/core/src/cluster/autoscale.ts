import type { State } from './states.js'

/** Between how many workers the load decides. `minSpare` and `maxSpare` count idle capacity in workers' worth. */
export interface ScalingRange {
  readonly min: number
  /** `'auto'`: as many as run at the same time here. */
  readonly max: number | 'auto'
  /** Less idle capacity than this asks for more workers. */
  readonly minSpare: number
  /** More idle capacity than this lets workers go. */
  readonly maxSpare: number
}

/** How many workers the machine, or the container, has room for. */
export interface ScalingLimits {
  /** So many run at the same time: CPUs, the cpuset and the CPU quota. */
  readonly cpu: number
  /** So many fit into the memory, at their size of now; undefined until that is known. */
  readonly memory: number | undefined
}

/** One worker, as a policy sees it. */
export interface PolicyWorker {
  readonly id: number
  readonly generation: number
  readonly state: State
  /** The event loop's, 0 to 1, of the last report; 0 before the first that covers its service alone. */
  readonly utilisation: number
  /** Requests that are being answered. */
  readonly inFlight: number
  /** Requests per second, between the last two reports. */
  readonly requests: number
  /** The event loop's delay, 99th percentile of the last report, ms. */
  readonly delayP99: number
  /** Since its launch, ms. */
  readonly age: number
  /** Bytes: its share of the memory where the system tells (PSS), else what it has resident; 0 before its first report. */
  readonly memory: number
  /** How long ago it reported last, or began to serve, or the load to decide, ms. A worker whose loop is blocked reports nothing. */
  readonly silent: number
}

/** What a policy decides by. */
export interface PolicyVitals {
  /** Monotonic, ms. */
  readonly now: number
  readonly workers: readonly PolicyWorker[]
  /** How many serve, are on their way to serve, and are held back as spares. */
  readonly serving: number
  readonly starting: number
  readonly spare: number
  /** Workers that ended badly since the last call: while that is dealt with, the figures mislead. */
  readonly died: number
  /** Since another generation began to serve, ms; Infinity if none has. */
  readonly sinceReload: number
  readonly range: ScalingRange
  readonly limits: ScalingLimits
}

/**
 * Decides how many workers should serve. Called four times a second in the supervisor, so it must be quick; what it
 * returns is brought into the range and the limits.
 * @param desired how many should serve so far
 */
export type Policy = (vitals: PolicyVitals, desired: number) => number

/**
 * Makes the policy that Mapache scales by, with a memory of its own: Apache's spare servers, counted in capacity. The idle
 * capacity is `desired` less the busyness of all that serve, so what is still starting counts as idle. Too little of it:
 * one worker more, then two, four, up to 32 at a time; where all are full, as many again, because the shortage cannot be
 * seen from inside. Too much of it for ten seconds on end: one worker less a second.
 */
export function createPolicy(): Policy {
  const busy = new Map<number, number>()
  let last = Number.NEGATIVE_INFINITY
  let rate = 1
  let calmSince: number | undefined
  let shrunkAt = Number.NEGATIVE_INFINITY
  return (vitals, desired) => {
    const { now, range, died, sinceReload } = vitals
    const serving = vitals.workers.filter(({ state }) => state === 'serving')
    const load = smooth(busy, serving, now - last)
    last = now
    if (died > 0) return desired
    const idle = desired - load
    if (idle < range.minSpare) {
      calmSince = undefined
      // New code is slow at first: its workers seem full, and are not.
      const cold = sinceReload < HOLD_OFF
      const full = serving.every((worker) => busyness(worker) >= FULL)
      const step = cold ? 1 : Math.max(rate, full ? serving.length : 0)
      rate = cold ? 1 : Math.min(2 * rate, MOST_AT_ONCE)
      return desired + Math.min(step, MOST_AT_ONCE)
    }
    rate = 1
    // Without the second bound, the capacity that is left could be too little at once.
    const plenty = idle > range.maxSpare && idle - 1 >= range.minSpare && desired > range.min
    calmSince = plenty ? (calmSince ?? now) : undefined
    if (calmSince === undefined || now - calmSince < CALM || now - shrunkAt < SHRINK_EVERY) return desired
    shrunkAt = now
    return desired - 1
  }
}

/** How busy a worker is, 0 to 1. */
export function busyness({ utilisation, inFlight, silent }: PolicyWorker): number {
  return silent > SILENCE ? 1 : Math.min(1, Math.max(utilisation, inFlight / FULL_IN_FLIGHT))
}

/**
 * The most workers that may serve, and what keeps it below the range's own: never fewer than its `min`.
 * @param limits of the machine
 */
export function mostOf(range: ScalingRange, limits: ScalingLimits): { most: number; limitedBy?: 'cpu' | 'memory' } {
  const { cpu, memory = Number.POSITIVE_INFINITY } = limits
  const wanted = range.max === 'auto' ? cpu : range.max
  const least = Math.min(wanted, cpu, memory)
  const most = Math.max(range.min, least)
  if (least >= wanted) return { most }
  return { most, limitedBy: memory < cpu ? 'memory' : 'cpu' }
}

/**
 * Brings what a policy wants into the range and the limits. Memory stops growth only: what serves already has its own.
 * @param desired how many should serve so far
 */
export function bounded(wanted: number, desired: number, range: ScalingRange, limits: ScalingLimits): number {
  const { most } = mostOf(range, { cpu: limits.cpu, memory: undefined })
  const within = Math.max(range.min, Math.min(wanted, most))
  if (limits.memory === undefined || within <= desired) return within
  return Math.max(Math.min(within, limits.memory), Math.min(desired, within), range.min)
}

/** The sum of what keeps the workers busy, each smoothed: it goes up at once, and down slowly. */
function smooth(busy: Map<number, number>, serving: readonly PolicyWorker[], elapsed: number): number {
  const there = new Set<number>()
  let sum = 0
  for (const worker of serving) {
    const is = busyness(worker)
    const was = busy.get(worker.id) ?? is
    const time = is > was ? RISE : FALL
    const next = is + (was - is) * Math.exp(-elapsed / time)
    there.add(worker.id)
    busy.set(worker.id, next)
    sum += next
  }
  for (const id of busy.keys()) if (!there.has(id)) busy.delete(id)
  return sum
}

/** Milliseconds between two reports of a worker, and two decisions, while the load decides. */
export const SCALING_PULSE = 250
/** A worker that has reported nothing for so long is blocked, ms. */
export const SILENCE = 3 * SCALING_PULSE
/** So many requests in flight are all that a worker should have. */
export const FULL_IN_FLIGHT = 1_000
/** There must have been too much idle capacity for so long, ms: at most one worker comes back in that time. */
export const CALM = 10_000
/** Milliseconds between two workers that go. */
export const SHRINK_EVERY = 1_000
/** How long after a reload workers are added only one at a time, ms: Apache's ten ticks. */
export const HOLD_OFF = 10_000
export const MOST_AT_ONCE = 32
/** From here on a worker counts as full. */
const FULL = 0.95
/** Time constants of the smoothing, ms. */
const RISE = 150
const FALL = 2_000
