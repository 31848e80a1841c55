import type { ErrorData } from '../errors.js'
import type { CanaryRule } from './canary.js'
import { giveWay } from './old-first.js'
import type { Effect, FailedPhase, PlanState } from './plan.js'
import { provenWorkers } from './reconcile.js'
import type { Member } from './roster.js'
import { resumeSetup, settingUp } from './setup.js'
import { afterSettle, ruleOf, soak } from './soak.js'

/**
 * `reload`: new code from disk. `refork`: the same code, from a warm worker that becomes a mold. `rollback`: the code
 * before, from its mold.
 */
export type RollKind = 'reload' | 'refork' | 'rollback'

/** A replacement of all workers: where it stands. */
export interface Roll {
  kind: RollKind
  /** The request that asked for it; none did for one that began by itself. */
  request?: number
  from: number
  to: number
  /**
   * `promoting` (a refork): a worker leaves to become the new generation's mold. `setting-up`: the set-up of the new code
   * runs, and nothing else of it. `booting`: one worker of the new generation is on its way, beside the old ones.
   * `settling`: it serves and has to prove itself. `soaking`: it is compared with them. `rolling`: the others follow, and the
   * old ones retire.
   */
  phase: 'promoting' | 'setting-up' | 'booting' | 'settling' | 'soaking' | 'rolling'
  /** When `settling` ends (monotonic ms). */
  settleAt: number
  /** What its first worker has to hold out against, beside the old ones; and when `soaking` ends (monotonic ms). */
  canary?: CanaryRule
  soakUntil?: number
  /** The worker that settles, the first of its generation to serve; while promoting, the one that becomes the mold. */
  first?: number
  /** The old workers leave first: there is nothing that would serve on if this fails. */
  oldFirst?: true
  /** A refork whose mold is a fork of the one before, warmed up. */
  warm?: true
  /** Workers that were not fit to become the mold. */
  unfit?: readonly number[]
}

/** A reload waits for the running roll; a newer one takes the place of the one that waits. */
export function takeReload(
  state: PlanState,
  { request, canary }: { request: number; canary?: CanaryRule | false },
  effects: Effect[]
): void {
  if (state.stopping !== 'no') effects.push({ do: 'refused', request, why: 'stopping' })
  else if (isBusy(state)) enqueue(state, request, 'reload', effects, canary)
  else begin(state, request, 'reload', effects, canary)
}

/** Whether a roll has to wait: for another, or for the set-up of the start. */
export function isBusy(state: PlanState): boolean {
  return state.roll !== undefined || settingUp(state) !== undefined
}

/** Lets a roll wait for the running one, in a queue of one. */
export function enqueue(
  state: PlanState,
  request: number,
  kind: RollKind,
  effects: Effect[],
  canary?: CanaryRule | false
): void {
  // A refork brings no new code, so that it cannot stand for a reload.
  if (state.queued?.kind === 'reload' && kind !== 'reload') {
    effects.push({ do: 'superseded', request })
    return
  }
  if (state.queued) effects.push({ do: 'superseded', request: state.queued.request })
  state.queued = { request, kind, ...(canary === undefined ? {} : { canary }) }
}

/** Begins a roll to a generation that has no number yet. */
export function begin(
  state: PlanState,
  request: number | undefined,
  kind: 'reload' | 'refork',
  effects: Effect[],
  canary?: CanaryRule | false
): void {
  state.latest += 1
  const { current: from, latest: to } = state
  const phase = kind === 'refork' ? 'promoting' : state.setups.known ? 'setting-up' : 'booting'
  const rule = kind === 'reload' ? ruleOf(state, canary) : {}
  state.roll = { kind, from, to, phase, settleAt: 0, ...(request === undefined ? {} : { request }), ...rule }
  if (kind === 'reload' && state.settings.fork) state.molded = [...state.molded, to]
  effects.push({ do: 'prepare', generation: to, request: request ?? 0, kind, from })
}

/** Ends the roll: the generation that served before goes on. */
export function fail(
  state: PlanState,
  phase: FailedPhase,
  error: ErrorData,
  timedOut: boolean,
  effects: Effect[]
): void {
  const { roll } = state
  if (!roll) return
  effects.push({ do: 'failed', request: roll.request ?? 0, generation: roll.to, phase, timedOut, error })
  if (roll.oldFirst) giveWay(state, roll, phase, error, effects)
  end(state, effects)
}

function end(state: PlanState, effects: Effect[]): void {
  delete state.roll
  forgetMolds(state)
  resumeSetup(state)
  beginQueued(state, effects)
}

/** Nothing is left that the roll which waits would have to wait for. */
export function beginQueued(state: PlanState, effects: Effect[]): void {
  const { queued } = state
  if (queued === undefined || settingUp(state) !== undefined) return
  delete state.queued
  if (queued.kind === 'refork' && !state.molded.includes(state.current)) {
    effects.push({ do: 'refused', request: queued.request, why: 'not-molded' })
  } else if (queued.kind !== 'rollback') {
    begin(state, queued.request, queued.kind, effects, queued.canary)
  }
}

/** What is not served from and not kept for a rollback has no mold. */
export function forgetMolds(state: PlanState): void {
  const { current, roll, previous } = state
  const kept = [current, roll?.from, roll?.to, previous?.generation]
  state.molded = state.molded.filter((generation) => kept.includes(generation))
}

/** What follows from time and from who is there. */
export function advance(state: PlanState, members: readonly Member[], now: number, effects: Effect[]): void {
  expire(state, now, effects)
  proceed(state, members, now, effects)
  // Last, because the refork may have waited for a roll that is done just now.
  if (state.roll?.phase === 'promoting') chooseMold(state, state.roll, members, effects)
}

function proceed(state: PlanState, members: readonly Member[], now: number, effects: Effect[]): void {
  // A worker of the generation before may serve still, or again: then there is none to wait for.
  const kept = state.roll?.kind === 'rollback' ? members.find((one) => serves(one, state.roll?.to)) : undefined
  if (kept && state.roll?.phase === 'booting') {
    state.roll = { ...state.roll, phase: 'settling', settleAt: now, first: kept.id }
  }
  const { roll } = state
  if (roll?.phase === 'settling') {
    if (now < roll.settleAt) {
      effects.push({ do: 'look-again', at: roll.settleAt })
      return
    }
    // One that is leaving or killed by then has proved nothing: its exit fails the roll.
    if (!members.some((member) => member.id === roll.first && isProved(member))) return
    afterSettle(state, roll, now, effects)
  } else if (roll?.phase === 'soaking') soak(state, roll, members, now, effects)
  if (state.roll?.phase === 'rolling') complete(state, state.roll, members, now, effects)
}

/** The mold of the generation before is kept for so long, and no longer. */
function expire(state: PlanState, now: number, effects: Effect[]): void {
  const { previous, roll } = state
  if (!previous || roll?.to === previous.generation) return
  if (now < previous.until) {
    effects.push({ do: 'look-again', at: previous.until })
    return
  }
  delete state.previous
  state.crashes = 0
  forgetMolds(state)
}

/** The worker that has served longest is the warmest. */
function chooseMold(state: PlanState, roll: Roll, members: readonly Member[], effects: Effect[]): void {
  if (roll.first !== undefined) return
  const fit = members.filter((member) => {
    return serves(member, roll.from) && !roll.unfit?.includes(member.id)
  })
  const [warmest] = fit.sort((a, b) => (a.servingAt ?? 0) - (b.servingAt ?? 0))
  if (!warmest) return
  state.roll = { ...roll, first: warmest.id }
  effects.push({ do: 'promote', id: warmest.id, generation: roll.to })
}

/** A roll is complete when the target serves in the new generation and nothing older is left that is not retiring. */
function complete(state: PlanState, roll: Roll, members: readonly Member[], now: number, effects: Effect[]): void {
  const present = members.filter(({ role, state, killed }) => role === 'worker' && state !== 'retiring' && !killed)
  const renewed = present.filter(({ generation }) => generation === roll.to)
  if (provenWorkers(renewed) < state.settings.workers) return
  if (renewed.length < present.length) {
    // The last old ones retire now, which is no event: without a look the roll would end with their drain.
    effects.push({ do: 'look-again', at: now })
    return
  }
  state.current = roll.to
  delete state.failure
  keepBefore(state, roll, now)
  if (roll.oldFirst) {
    const first = renewed.find((member) => member.state === 'serving')
    effects.push({ do: 'settled', generation: roll.to, first: first?.id })
  }
  effects.push({ do: 'done', request: roll.request ?? 0, generation: roll.to, kind: roll.kind })
  end(state, effects)
}

/** After a reload the way back is kept open for a while, where the old code still has a mold. */
function keepBefore(state: PlanState, { kind, from }: Roll, now: number): void {
  if (kind === 'refork') return
  delete state.previous
  state.crashes = 0
  const { rollbackWindow } = state.settings
  if (kind !== 'reload' || rollbackWindow === 0 || !state.molded.includes(from)) return
  state.previous = { generation: from, until: now + rollbackWindow }
}

function serves(member: Member, generation: number | undefined): boolean {
  return member.role === 'worker' && member.generation === generation && isProved(member)
}

/** Serves, and is to go on doing so. */
export function isProved({ state, stale, killed, unproved }: Member): boolean {
  return state === 'serving' && !stale && !killed && !unproved
}
