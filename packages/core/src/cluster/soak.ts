import type { ErrorData } from '../errors.js'
import type { CanaryRule } from './canary.js'
import type { Effect, PlanEvent, PlanState } from './plan.js'
import { fail, isProved, type Roll } from './roll.js'
import type { Member } from './roster.js'

type Exit = Extract<PlanEvent, { type: 'exited' }>

/** Where a roll goes on when its first worker has settled: it soaks beside all old workers, or the others follow. */
export function afterSettle(state: PlanState, roll: Roll, now: number, effects: Effect[]): void {
  const { canary, to: generation, first } = roll
  if (!canary || first === undefined) return follow(state, roll, effects)
  state.roll = { ...roll, phase: 'soaking', soakUntil: now + canary.soak }
  effects.push({ do: 'soaking', generation, first, rule: canary })
  effects.push({ do: 'look-again', at: now + canary.soak })
}

/** At its end the soak is judged, if the canary still is one: else its end, or the one in its place, decides. */
export function soak(state: PlanState, roll: Roll, members: readonly Member[], now: number, effects: Effect[]): void {
  const { soakUntil = 0, first } = roll
  if (now < soakUntil) {
    effects.push({ do: 'look-again', at: soakUntil })
    return
  }
  const canary = members.find(({ id }) => id === first)
  if (!canary || !isProved(canary)) return
  // It answers nobody, and has told nothing that it could be judged by.
  if (now - canary.seenAt > SILENCE) fail(state, 'canary', SILENT, false, effects)
  else effects.push({ do: 'judge', first: canary.id })
}

/** The verdict: the others follow, or the old workers serve on. */
export function takeJudged(
  state: PlanState,
  { first, bad }: Extract<PlanEvent, { type: 'judged' }>,
  members: readonly Member[],
  effects: Effect[]
): void {
  const { roll } = state
  if (roll?.phase !== 'soaking' || roll.first !== first) return
  if (bad) return fail(state, 'canary', bad, false, effects)
  // It may have been killed since it was judged: then its end decides.
  if (!members.some((member) => member.id === first && isProved(member))) return
  effects.push({ do: 'soaked', generation: roll.to })
  follow(state, roll, effects)
}

/** Another worker serves in place of a canary that was told to go: it begins from the start. */
export function takeNextCanary(state: PlanState, roll: Roll, id: number, now: number): void {
  if (roll.first === id) return
  const { soakUntil: _, ...rest } = roll
  state.roll = { ...rest, phase: 'settling', settleAt: now + state.settings.settle, first: id }
}

/**
 * A canary that ends badly is worse than what was there. One that was recycled, or got a signal, says nothing of its code.
 * @returns whether that is all there is to the exit
 */
export function takeCanaryExit(state: PlanState, roll: Roll, event: Exit, effects: Effect[]): boolean {
  if (event.served && event.failed && roll.phase === 'soaking') {
    fail(state, 'canary', event.error, false, effects)
    return true
  }
  if (!roll.canary || event.failed) return false
  if (roll.phase === 'soaking' && event.id === roll.first) {
    const { soakUntil: _, first: __, ...rest } = roll
    state.roll = { ...rest, phase: 'booting' }
    return true
  }
  // It has soaked, and another one took its place meanwhile.
  return roll.phase === 'soaking' || (event.served && roll.phase !== 'rolling' && event.id !== roll.first)
}

/** What a reload has to hold out against: as it was asked for, else as the option says. */
export function ruleOf({ settings }: PlanState, wanted: CanaryRule | false | undefined): { canary?: CanaryRule } {
  const canary = wanted ?? settings.canary
  return canary ? { canary } : {}
}

function follow(state: PlanState, { soakUntil: _, ...roll }: Roll, effects: Effect[]): void {
  state.roll = { ...roll, phase: 'rolling' }
  effects.push({ do: 'settled', generation: roll.to, first: roll.first })
}

/** Workers report once a second: one that has said nothing for so long is blocked, ms. */
const SILENCE = 3_000
const SILENT: ErrorData = {
  name: 'Error',
  message: 'its event loop was blocked at the end of the soak',
  stack: 'Error: its event loop was blocked at the end of the soak'
}

export type Judged = { type: 'judged'; first: number; bad?: ErrorData }
