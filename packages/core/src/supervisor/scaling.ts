import type { VitalsData } from '../channel/messages.js'
import {
  bounded,
  mostOf,
  type PolicyVitals,
  type PolicyWorker,
  SCALING_PULSE,
  type ScalingLimits
} from '../cluster/autoscale.js'
import { workersThatFit } from '../cluster/capacity.js'
import type { Member } from '../cluster/roster.js'
import type { ScalingStatus } from '../cluster.js'
import { MapacheError } from '../errors.js'
import { Memory } from '../worker/memory.js'
import { announce } from './events.js'
import { type MachineLimits, readLimits } from './limits.js'
import type { OptionsInForce } from './options-in-force.js'
import { PolicyRunner } from './policy-runner.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** What a worker reported last. */
interface Report {
  at: number
  vitals: VitalsData
  /** Requests per second since the report before. */
  rate: number
  /** When an event told of its vitals last. */
  toldAt: number
}

/** Lets the load decide how many workers serve, where the options give a range or a policy, until a number is set by hand. */
export class Scaling {
  readonly #supervisor: Supervisor
  readonly #options: OptionsInForce
  readonly #policy: PolicyRunner
  readonly #reports = new Map<number, Report>()
  readonly #memory = new Memory()
  #own = 0
  #machine: { limits: MachineLimits; readAt: number } | undefined
  #timer: NodeJS.Timeout | undefined
  /** Since when the load decides, and reports come four times a second (monotonic ms). */
  #since = 0
  #died = 0
  #generation: number
  #changedAt = Number.NEGATIVE_INFINITY
  /** What keeps the number down at the moment, so that the log says it once. */
  #limitedBy: 'cpu' | 'memory' | undefined

  constructor(supervisor: Supervisor, options: OptionsInForce) {
    this.#supervisor = supervisor
    this.#options = options
    this.#generation = 1
    this.#policy = new PolicyRunner(options.settings.policy, (text, thrown) => {
      const error = new MapacheError('MAPACHE_POLICY_FAILED', text, thrown === undefined ? {} : { cause: thrown })
      supervisor.log.error({ err: error }, `${error.message}; ${this.#desired} workers serve on`)
    })
  }

  /** Milliseconds between two reports that workers are to make. */
  get pulse(): number {
    return this.#active ? SCALING_PULSE : PULSE
  }

  get status(): ScalingStatus | undefined {
    const { range, pinned } = this.#options
    if (!range) return undefined
    const limits = this.#limits(this.#supervisor.clock.now())
    return { min: range.min, max: range.max === 'auto' ? limits.cpu : range.max, ...mostOf(range, limits), pinned }
  }

  get #active(): boolean {
    return this.#options.range !== undefined && !this.#options.pinned && !this.#supervisor.stopping
  }

  get #desired(): number {
    return this.#supervisor.plan.settings.workers
  }

  /** Somebody wants so many workers, or leaves it to the option again. */
  ask(workers: number | 'auto'): void {
    const { log } = this.#supervisor
    const target = this.#options.scale(workers)
    const pins = workers !== 'auto' && this.#options.range ? "; the load decides again after scale('auto')" : ''
    log.info(
      workers === 'auto' ? `scaling as the options say, from ${target} workers` : `scaling to ${target} workers${pins}`
    )
    this.#scale(target, 'asked')
    this.refresh()
  }

  /** Begins or ends as the options in force say; called when they change, and once there are workers that serve. */
  refresh(): void {
    const running = this.#timer !== undefined
    if (running === this.#active) return
    if (running) this.stop()
    else {
      this.#since = this.#supervisor.clock.now()
      this.#timer = setInterval(() => this.#step(), SCALING_PULSE)
    }
    for (const { member, connection } of this.#supervisor.processes.all) {
      if (member.role === 'worker') connection?.send({ type: 'pulse', pulse: this.pulse })
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Takes note of a worker's report. @returns whether an event is to tell of it: once a second */
  note({ id, seenAt }: Member, vitals: VitalsData): boolean {
    const before = this.#reports.get(id)
    const elapsed = seenAt - (before?.at ?? seenAt)
    const rate = before && elapsed > 0 ? ((vitals.requests - before.vitals.requests) * 1_000) / elapsed : 0
    const tells = seenAt - (before?.toldAt ?? Number.NEGATIVE_INFINITY) > PULSE - SCALING_PULSE / 2
    this.#reports.set(id, { at: seenAt, vitals, rate, toldAt: tells ? seenAt : (before?.toldAt ?? seenAt) })
    return tells
  }

  /** A process has ended. */
  ended({ id, role }: Member, failed: boolean): void {
    this.#reports.delete(id)
    if (failed && role === 'worker') this.#died += 1
  }

  #step(): void {
    const { clock, plan, generation } = this.#supervisor
    const { range } = this.#options
    // A stop that was asked for from within an event is planned a little later than this was told to end.
    if (!this.#active || !range) return this.stop()
    const now = clock.now()
    if (generation !== this.#generation) {
      this.#generation = generation
      this.#changedAt = now
    }
    const desired = this.#desired
    const limits = this.#limits(now)
    // An app that has failed is not to be judged by what serves in its place.
    const wanted = plan.failure ? desired : this.#policy.run(this.#vitals(now, limits), desired)
    this.#died = 0
    let next = bounded(wanted, desired, range, limits)
    // A roll ends with as many as it began with, at the least: workers go afterwards.
    if (plan.roll) next = Math.max(next, desired)
    this.#tellLimit(range.max === 'auto' ? limits.cpu : range.max, wanted > next)
    if (next === desired) return
    this.#options.follow(next)
    this.#supervisor.log.info(`scaling from ${desired} to ${next} workers for the load`)
    this.#scale(next, 'load')
  }

  #scale(workers: number, reason: 'asked' | 'load'): void {
    this.#supervisor.apply({ type: 'scale', workers })
    announce(this.#supervisor, 'scale', { workers, reason })
  }

  #vitals(now: number, limits: ScalingLimits): PolicyVitals {
    const { processes } = this.#supervisor
    const members = processes.all.filter(({ member }) => member.role === 'worker' && !member.fallback)
    const workers = members.map((peer) => this.#worker(peer, now))
    const serving = workers.filter(({ state }) => state === 'serving').length
    const booting = workers.filter(({ state }) => state === 'launching' || state === 'ready').length
    const starting = Math.min(booting, Math.max(0, this.#desired - serving))
    return {
      now,
      workers,
      serving,
      starting,
      spare: booting - starting,
      died: this.#died,
      sinceReload: now - this.#changedAt,
      range: this.#options.range as PolicyVitals['range'],
      limits
    }
  }

  #worker(peer: Peer, now: number): PolicyWorker {
    const { id, generation, state, launchedAt, servingAt = now } = peer.member
    const report = this.#reports.get(id)
    // What it reports first is of the time before it served, too.
    const isWhole = report !== undefined && report.at >= servingAt + WHOLE
    const { utilisation = 0, inFlight = 0, delayP99 = 0 } = (isWhole ? report : undefined)?.vitals ?? {}
    return {
      id,
      generation,
      state,
      utilisation,
      inFlight,
      requests: isWhole ? report.rate : 0,
      delayP99,
      age: now - launchedAt,
      memory: sizeOf(peer),
      silent: now - Math.max(servingAt, this.#since, report?.at ?? servingAt)
    }
  }

  #limits(now: number): ScalingLimits {
    if (!this.#machine || now - this.#machine.readAt >= READ_EVERY)
      this.#machine = { limits: readLimits(), readAt: now }
    this.#own = this.#memory.read(now, process.memoryUsage.rss())?.pss ?? (this.#own || process.memoryUsage.rss())
    const { cpu, memory: limit } = this.#machine.limits
    const isCounted = ({ member }: Peer) => member.role === 'worker' && member.state === 'serving'
    const peers = this.#supervisor.processes.all
    const others = peers.filter((peer) => !isCounted(peer)).map(sizeOf)
    const memory = workersThatFit({
      limit,
      others: others.reduce((sum, bytes) => sum + bytes, this.#own),
      workers: peers.filter(isCounted).map(sizeOf)
    })
    return { cpu, memory }
  }

  /** Says once what keeps the number of workers down, when it first does. */
  #tellLimit(max: number, isHeld: boolean): void {
    const { most = max, limitedBy } = this.status ?? {}
    if (limitedBy === undefined) this.#limitedBy = undefined
    if (limitedBy === undefined || !isHeld || limitedBy === this.#limitedBy) return
    this.#limitedBy = limitedBy
    this.#supervisor.log.warn(`the load asks for more workers, but ${most} are the most: ${WHY[limitedBy]}`)
  }
}

function sizeOf({ memory, vitals }: Peer): number {
  return memory?.pss ?? vitals?.rss ?? 0
}

/** Milliseconds between two reports where nothing scales by them, and two events that tell of them. */
export const PULSE = 1_000
/** Since it began to serve, until a report is of its service alone; timers may be early by a little, ms. */
const WHOLE = SCALING_PULSE * 0.8
/** Milliseconds. */
const READ_EVERY = 10_000
const WHY = { cpu: 'no more can run at the same time here', memory: 'no more fit into the memory' } as const
