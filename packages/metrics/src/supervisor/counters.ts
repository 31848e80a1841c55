import type { ClusterEvents, EndReason, ExitEvent, ProcessInfo } from '@mapache/core'

/** Durations, not cumulative by bucket; the last is beyond all bounds. Seconds. */
export interface Durations {
  buckets: number[]
  sum: number
}

/** What the supervisor has counted of the cluster since it started, as the service gets it. */
export interface ClusterCounters {
  /** Rolls that ended, by kind. */
  reloads: Record<Kind, { done: number; failed: number }>
  /** Generations that crashed too often and were rolled back by themselves. */
  rolledback: number
  reloadDurations: Durations
  bootDurations: Durations
  drainDurations: Durations
  launches: number
  restarts: number
  crashes: Partial<Record<EndReason, number>>
  cuts: { requests: number; sockets: number; streams: number }
}

export type Kind = ClusterEvents['reload:start'][0]['kind']

/** Upper bounds of how long boots, drains and reloads take, seconds. */
export const LIFE_BUCKETS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

/** The ways in which a worker can end badly: each has a count from the start, so that the first one shows as a rise. */
export const CRASHES = [
  'crash',
  'boot-failed',
  'boot-timeout',
  'hung',
  'refused',
  'fork-failed',
  'not-listening'
] as const satisfies readonly EndReason[]

/** Counts the cluster's events. Times are monotonic, ms. */
export class Counters {
  readonly data: ClusterCounters = {
    reloads: { reload: { done: 0, failed: 0 }, refork: { done: 0, failed: 0 }, rollback: { done: 0, failed: 0 } },
    rolledback: 0,
    reloadDurations: noDurations(),
    bootDurations: noDurations(),
    drainDurations: noDurations(),
    launches: 0,
    restarts: 0,
    crashes: Object.fromEntries(CRASHES.map((reason) => [reason, 0])),
    cuts: { requests: 0, sockets: 0, streams: 0 }
  }
  readonly #launched = new Map<number, number>()
  readonly #retired = new Map<number, number>()
  /** The kind of each roll that runs, by the generation that it leads to. */
  readonly #rolls = new Map<number, Kind>()

  launched({ id, failures }: Pick<ProcessInfo, 'id' | 'failures'>, now: number): void {
    this.#launched.set(id, now)
    this.data.launches += 1
    if (failures > 0) this.data.restarts += 1
  }

  ready({ id }: Pick<ProcessInfo, 'id'>, now: number): void {
    const launched = this.#launched.get(id)
    if (launched !== undefined) observe(this.data.bootDurations, now - launched)
    this.#launched.delete(id)
  }

  retired({ id }: Pick<ProcessInfo, 'id'>, now: number): void {
    this.#retired.set(id, now)
  }

  exited({ id, failed, reason, drained }: Pick<ExitEvent, 'id' | 'failed' | 'reason' | 'drained'>, now: number): void {
    this.left(id, now)
    if (failed) this.data.crashes[reason] = (this.data.crashes[reason] ?? 0) + 1
    this.data.cuts.requests += drained?.cutRequests ?? 0
    this.data.cuts.sockets += drained?.cutSockets ?? 0
    this.data.cuts.streams += drained?.cutStreams ?? 0
  }

  /** It exited, or became a mold. */
  left(id: number, now: number): void {
    const retired = this.#retired.get(id)
    if (retired !== undefined) observe(this.data.drainDurations, now - retired)
    this.#retired.delete(id)
    this.#launched.delete(id)
  }

  rollBegan(kind: Kind, generation: number): void {
    this.#rolls.set(generation, kind)
  }

  rollEnded(generation: number, result: 'done' | 'failed'): void {
    this.data.reloads[this.#rolls.get(generation) ?? 'reload'][result] += 1
    this.#rolls.delete(generation)
  }

  /** @param duration ms */
  rollTook(duration: number): void {
    observe(this.data.reloadDurations, duration)
  }

  rolledBack(): void {
    this.data.rolledback += 1
  }
}

function observe(durations: Durations, ms: number): void {
  const seconds = ms / 1_000
  const at = LIFE_BUCKETS.findIndex((bound) => seconds <= bound)
  const index = at === -1 ? LIFE_BUCKETS.length : at
  durations.buckets[index] = (durations.buckets[index] ?? 0) + 1
  durations.sum += seconds
}

function noDurations(): Durations {
  return { buckets: new Array(LIFE_BUCKETS.length + 1).fill(0), sum: 0 }
}
