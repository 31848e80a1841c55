import { type Backoff, backoffDelay, goodFor } from './backoff.js'
import { type State, transition } from './states.js'
import { Storms } from './storm.js'

/** A `task` is short-lived: it does one thing, once for a generation, and ends. */
export type Role = 'worker' | 'service' | 'mold' | 'task'

/** Where a process comes from: `disk` is a new program, `mold` a fork of the generation's mold. */
export type Origin = 'disk' | 'mold'

/**
 * Why the end of a process was chosen (the first one recorded wins), or how it came about when nobody chose it.
 * Chosen ends: reload, scale-down, recycle, refork, not-listening, signal, stop, stop-now, unwanted, boot-timeout, hung,
 * unhealthy, drain-timeout, refused, fork-failed, released (a standby process became a worker), done and setup-timeout (of a
 * task). Not chosen: crash, boot-failed.
 */
export type EndReason =
  | 'reload'
  | 'scale-down'
  | 'recycle'
  | 'refork'
  | 'not-listening'
  | 'signal'
  | 'stop'
  | 'stop-now'
  | 'unwanted'
  | 'boot-timeout'
  | 'hung'
  | 'unhealthy'
  | 'drain-timeout'
  | 'refused'
  | 'fork-failed'
  | 'released'
  | 'done'
  | 'setup-timeout'
  | 'crash'
  | 'boot-failed'

/** What is launched: a process of a role, of a generation, in a place of its slot. */
export interface MemberSpec {
  role: Role
  /** The service's or the task's name; empty for workers and molds. */
  name: string
  generation: number
  from: Origin
  /** The generation whose mold it is forked from, where that is not its own. */
  parent?: number
  /** Of a worker: serves in place of the app, which has failed. */
  fallback?: true
  /** Of a mold: one worker comes from it, which it becomes itself. */
  once?: true
  /** 1 to the slot's count: a replacement takes the place of the one it replaces, and back-off is kept per place. */
  place: number
}

/** One process that was launched and has not been forgotten. Times are monotonic, ms. */
export interface Member extends MemberSpec {
  readonly id: number
  state: State
  readonly launchedAt: number
  since: number
  pid?: number
  readyAt?: number
  /** Told to start serving. */
  activatedAt?: number
  /** When it began to be of use: a worker to serve, a mold to fork. */
  servingAt?: number
  /** Last sign of life. */
  seenAt: number
  /** To be replaced, and why; `urgent` when it does no work any more, so that nothing is gained by keeping it meanwhile. */
  stale?: { reason: EndReason; urgent: boolean }
  /** It has a health check, which has not passed yet: others do not leave for its sake. */
  unproved?: true
  /** Since when its health check fails, as often in a row as makes it unhealthy. */
  unhealthySince?: number
  /** First writer wins: see `chooseEnd`. */
  reason?: EndReason
  /** Told to close its idle connections. */
  hurried: boolean
  killed: boolean
  /** Of a mold: since when a fork is awaited of it. */
  askedAt?: number
  /** Since when it is to hand on the requests that still arrive, and whether it has said that it does. */
  forwardSince?: number
  forwarding?: boolean
  /** When it has drained it becomes the mold of this generation. */
  promotion?: number
}

/**
 * The register of every process that was launched: who is in which state, who took whose place, how often a place
 * failed. No I/O and no clock, so that each race of spawn, ready and exit is a unit test.
 */
export class Roster {
  readonly #members = new Map<number, Member>()
  readonly #places = new Map<string, { failures: number; notBefore: number }>()
  readonly #storms = new Storms()
  #lastId = 0

  /** All members that have not exited, oldest first. */
  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  get(id: number): Member | undefined {
    return this.#members.get(id)
  }

  launch(spec: MemberSpec, now: number): Member {
    const member: Member = {
      ...spec,
      id: ++this.#lastId,
      state: 'launching',
      launchedAt: now,
      since: now,
      seenAt: now,
      hurried: false,
      killed: false
    }
    this.#members.set(member.id, member)
    if (isOfApp(spec)) this.#storms.launched(spec.generation, now)
    return member
  }

  ready(member: Member, now: number): void {
    transition(member, 'ready', now)
    member.seenAt = now
    member.readyAt = now
    if (member.role === 'mold') member.servingAt = now
  }

  serving(member: Member, now: number): void {
    transition(member, 'serving', now)
    member.seenAt = now
    member.servingAt = now
  }

  retire(member: Member, reason: EndReason, now: number): void {
    chooseEnd(member, reason)
    transition(member, 'retiring', now)
  }

  /** Makes the mold of a generation of a worker that has drained. What was against it as a worker is forgotten. */
  promote(member: Member, generation: number, now: number): void {
    transition(member, 'promoted', now)
    for (const key of ['reason', 'stale', 'promotion', 'unproved', 'unhealthySince'] as const) delete member[key]
    Object.assign(member, { role: 'mold', generation, place: 1, seenAt: now, servingAt: now })
  }

  /**
   * Removes a process that ended and keeps account of its place: a bad end adds to the place's failures, a long service
   * clears them.
   * @param random 0 to below 1, for the jitter
   * @param workers how many should serve: more bad ends within ten seconds are a storm
   * @returns the reason of the end, whether it was a failure, and of how many the storm is that has just begun
   */
  exited(
    member: Member,
    now: number,
    backoff: Backoff,
    random: number,
    workers = Number.POSITIVE_INFINITY
  ): { reason: EndReason; failed: boolean; storm?: number } {
    const before = member.state
    transition(member, 'exited', now)
    this.#members.delete(member.id)
    const reason =
      member.reason ??
      member.stale?.reason ??
      (before === 'launching' || isTakingUp(member, before) ? 'boot-failed' : 'crash')
    const failed = FAILURES.has(reason)
    const key = placeKey(member)
    const place = goodFor(member, now) >= backoff.max ? undefined : this.#places.get(key)
    if (member.role === 'task') {
      // Once for a generation, however it ended.
      this.#places.set(key, { failures: failed ? 1 : 0, notBefore: Number.POSITIVE_INFINITY })
    } else if (failed) {
      const failures = (place?.failures ?? 0) + 1
      this.#places.set(key, { failures, notBefore: now + backoffDelay(failures, backoff, random) })
    } else if (place === undefined) {
      this.#places.delete(key)
    }
    const storm = failed && reason !== 'fork-failed' ? this.#stormBy(member, now, backoff, random, workers) : undefined
    return { reason, failed, ...(storm === undefined ? {} : { storm }) }
  }

  #stormBy(member: Member, now: number, backoff: Backoff, random: number, workers: number): number | undefined {
    if (!isOfApp(member)) return undefined
    const { generation } = member
    const own = `${generation}:worker:`
    const failures = [...this.#places].flatMap(([key, place]) => (key.startsWith(own) ? [place.failures] : []))
    const delay = backoffDelay(Math.max(2, ...failures), backoff, random)
    return this.#storms.failed(generation, now, workers, delay, backoff.max)
  }

  /**
   * When the place may launch again (monotonic ms), and how many processes failed there in a row; in a crash storm of its
   * generation also until when its workers are launched one at a time.
   * @param now monotonic ms; left out, storms are, too
   */
  place(
    spec: MemberSpec,
    now = Number.POSITIVE_INFINITY
  ): { failures: number; notBefore: number; spacedUntil?: number } {
    const place = this.#places.get(placeKey(spec)) ?? { failures: 0, notBefore: 0 }
    const storm = isOfApp(spec) ? this.#storms.of(spec.generation, now) : undefined
    if (!storm) return place
    const notBefore = Math.max(place.notBefore, Math.min(storm.notBefore, storm.calmAt))
    return { ...place, notBefore, spacedUntil: storm.calmAt }
  }

  /** How many places wait after failures: of workers, or of a service. */
  waiting(role: Role, name: string, now: number): number {
    const own = `:${role}:${name}:`
    const waiting = [...this.#places].filter(([key, { notBefore }]) => {
      // The generation comes first.
      return notBefore > now && key.slice(key.indexOf(':')).startsWith(own)
    })
    return waiting.length
  }

  /** Lets what waits after failures launch at once. @returns how many places waited */
  revive(now: number): number {
    const waiting = [...this.#places.values()].filter(({ notBefore }) => notBefore > now && Number.isFinite(notBefore))
    for (const place of waiting) place.notBefore = now
    this.#storms.end()
    return waiting.length
  }

  /** Forgets the accounts of generations that nothing wants any more. */
  forgetGenerations(keep: ReadonlySet<number>): void {
    for (const key of this.#places.keys()) {
      if (!keep.has(Number(key.split(':', 1)[0]))) this.#places.delete(key)
    }
    this.#storms.forget(keep)
  }
}

/** Records why a process is to end. The first writer wins, so that a kill at the drain's deadline stays a reload. */
export function chooseEnd(member: Member, reason: EndReason): void {
  member.reason ??= reason
}

function isOfApp({ role, fallback }: MemberSpec): boolean {
  return role === 'worker' && !fallback
}

/** It had booted and was to serve, and has not come to it: to listen is part of the boot. */
function isTakingUp({ activatedAt }: Member, before: State): boolean {
  return before === 'ready' && activatedAt !== undefined
}

function placeKey({ generation, role, name, place, fallback }: MemberSpec): string {
  return `${generation}:${role}:${fallback ? 'fallback' : name}:${place}`
}

const FAILURES: ReadonlySet<EndReason> = new Set<EndReason>([
  'crash',
  'boot-failed',
  'boot-timeout',
  'hung',
  'unhealthy',
  'refused',
  'fork-failed',
  'not-listening',
  'setup-timeout'
])
