import {
  bounded,
  type Policy,
  type PolicyWorker,
  SCALING_PULSE,
  type ScalingLimits,
  type ScalingRange
} from '#core/cluster/autoscale.js'
import type { Job } from './traffic.js'

export interface ModelOptions {
  policy: Policy
  range: ScalingRange
  limits: ScalingLimits
  /** From a launch until it serves, ms. */
  boot: number
  seconds: number
  /** Of the first workers. */
  start?: number
  /** Milliseconds between two calls of the policy. */
  interval?: number
}

export interface Outcome {
  /** How long each request waited for a worker, ms, in the order in which they began. */
  waits: number[]
  /** Workers' time, of all, from launch to end, and the time that the requests needed; seconds. */
  used: number
  needed: number
  /** Each change of the number that should serve. */
  changes: { at: number; from: number; to: number }[]
  /** Each change of the number that does. */
  serving: { at: number; count: number }[]
}

interface ModelWorker {
  id: number
  launchedAt: number
  servesAt: number
  freeAt: number
  /** All its work so far, what is still to do of the last request included, ms. */
  work: number
  /** What it had done at its last report. */
  reported: number
  reportedAt: number
  dueAt: number
  utilisation: number
}

/**
 * Workers that take requests from one queue, each one at a time, boot, and report as real ones do: a report comes between
 * two requests, so that a busy loop is late with it. The policy and the bounds are the real ones.
 */
export function simulate(jobs: readonly Job[], options: ModelOptions): Outcome {
  const { policy, range, limits, boot, seconds, interval = SCALING_PULSE } = options
  const outcome: Outcome = { waits: [], used: 0, needed: 0, changes: [], serving: [] }
  let workers: ModelWorker[] = []
  let desired = options.start ?? range.min
  let ids = 0
  let arrived = 0
  let taken = 0
  const launch = (at: number, servesAt: number) => {
    const id = ++ids
    // Not all of them report at the same moment.
    const offset = (id * 61) % SCALING_PULSE
    workers.push({
      id,
      launchedAt: at,
      servesAt,
      freeAt: servesAt,
      work: 0,
      reported: 0,
      reportedAt: servesAt,
      dueAt: servesAt + SCALING_PULSE + (servesAt === 0 ? offset : 0),
      utilisation: 0
    })
  }
  for (let count = 0; count < desired; count += 1) launch(0, 0)

  for (let now = 0; now < seconds * 1_000; now += STEP) {
    const until = now + STEP
    while (arrived < jobs.length && (jobs[arrived] as Job).at < until) arrived += 1
    const serving = workers.filter(({ servesAt }) => servesAt < until)
    while (taken < arrived) {
      const job = jobs[taken] as Job
      const worker = serving.reduce<ModelWorker | undefined>(
        (best, one) => (best && best.freeAt <= one.freeAt ? best : one),
        undefined
      )
      const from = worker ? Math.max(worker.freeAt, job.at) : until
      if (!worker || from >= until) break
      if (worker.dueAt <= from) report(worker, from)
      worker.freeAt = from + job.ms
      worker.work += job.ms
      outcome.waits.push(from - job.at)
      outcome.needed += job.ms / 1_000
      taken += 1
    }
    for (const worker of serving) if (worker.dueAt <= until && worker.freeAt <= until) report(worker, until)
    note(outcome.serving, until, serving.length)
    if (until % interval !== 0) continue
    const seen = workers.map((worker) => look(worker, until))
    const vitals = {
      now: until,
      workers: seen,
      serving: serving.length,
      starting: workers.length - serving.length,
      spare: 0,
      died: 0,
      sinceReload: Number.POSITIVE_INFINITY,
      range,
      limits
    }
    const next = bounded(policy(vitals, desired), desired, range, limits)
    if (next === desired) continue
    outcome.changes.push({ at: until, from: desired, to: next })
    desired = next
    while (workers.length < desired) launch(until, until + boot)
    const gone = workers.slice(desired)
    for (const { freeAt, launchedAt } of gone) outcome.used += (Math.max(until, freeAt) - launchedAt) / 1_000
    workers = workers.slice(0, desired)
  }
  for (const { launchedAt } of workers) outcome.used += seconds - launchedAt / 1_000
  return outcome
}

/** How often the number went up again within a time after it went down, ms. */
export function flaps({ changes }: Outcome, within: number): number {
  let wentDown = Number.NEGATIVE_INFINITY
  let count = 0
  for (const { at, from, to } of changes) {
    if (to < from) wentDown = at
    else if (at - wentDown <= within) {
      count += 1
      wentDown = Number.NEGATIVE_INFINITY
    }
  }
  return count
}

/** From a moment until so many workers serve, ms; Infinity if they never do. */
export function timeUntil({ serving }: Outcome, from: number, count: number): number {
  let now = 0
  for (const { at, count: had } of serving) {
    if (at > from && now >= count) return 0
    now = had
    if (at > from && now >= count) return at - from
  }
  return now >= count ? 0 : Number.POSITIVE_INFINITY
}

/** @param share 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function look(worker: ModelWorker, now: number): PolicyWorker {
  const { id, servesAt, launchedAt, utilisation, reportedAt } = worker
  const serves = servesAt < now
  return {
    id,
    generation: 1,
    state: serves ? 'serving' : 'launching',
    utilisation,
    inFlight: worker.freeAt > now ? 1 : 0,
    requests: 0,
    delayP99: 0,
    age: now - launchedAt,
    memory: 5e7,
    silent: serves ? now - reportedAt : 0
  }
}

function report(worker: ModelWorker, now: number): void {
  const done = worker.work - Math.max(0, worker.freeAt - now)
  worker.utilisation = (done - worker.reported) / (now - worker.reportedAt)
  worker.reported = done
  worker.reportedAt = now
  worker.dueAt = now + SCALING_PULSE
}

function note(serving: Outcome['serving'], at: number, count: number): void {
  if (serving.at(-1)?.count !== count) serving.push({ at, count })
}

/** Milliseconds. */
const STEP = 10
