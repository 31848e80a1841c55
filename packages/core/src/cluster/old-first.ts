import type { ErrorData } from '../errors.js'
import type { Effect, FailedPhase, PlanEvent, PlanState } from './plan.js'
import type { Roll } from './roll.js'
import { dropSetup } from './setup.js'

/** What keeps the app from serving: it did not boot, or crashed after it had. */
export interface AppFailure {
  generation: number
  phase: 'boot' | 'crash'
  error: ErrorData
}

/**
 * A reload in which the old workers leave first. It waits for nothing: what rolls is dropped for it, because what that
 * would bring is out of date.
 */
export function takeOldFirst(state: PlanState, request: number, effects: Effect[]): void {
  if (state.stopping !== 'no') {
    effects.push({ do: 'refused', request, why: 'stopping' })
    return
  }
  const { roll, queued, current } = state
  for (const dropped of [roll?.request, queued?.request]) {
    if (dropped !== undefined) effects.push({ do: 'superseded', request: dropped })
  }
  delete state.queued
  delete state.failure
  dropSetup(state)
  state.latest += 1
  const to = state.latest
  if (state.settings.fork) state.molded = [...state.molded, to]
  const phase = state.setups.known ? 'setting-up' : 'rolling'
  state.roll = { kind: 'reload', from: current, to, phase, settleAt: 0, request, oldFirst: true }
  effects.push({ do: 'prepare', generation: to, request, kind: 'reload', from: current, oldFirst: true })
}

/** The old generation has left already: the one that failed is the current one, whether or not a fallback serves for it. */
export function giveWay(state: PlanState, { to }: Roll, phase: FailedPhase, error: ErrorData, effects: Effect[]): void {
  state.current = to
  if (state.settings.fallback)
    noteFailure(state, { generation: to, phase: phase === 'settle' ? 'crash' : 'boot', error }, effects)
}

/**
 * Outside of a roll: where there is a fallback, an app that crashes or does not boot is not started again before the
 * next reload.
 * @returns whether it was taken for that
 */
export function takeFailure(
  state: PlanState,
  event: Extract<PlanEvent, { type: 'exited' }>,
  effects: Effect[]
): boolean {
  const { settings, roll, current, failure } = state
  const { generation, failed, served, error } = event
  if (!settings.fallback || roll || failure || !failed || generation !== current) return false
  noteFailure(state, { generation, phase: served ? 'crash' : 'boot', error }, effects)
  return true
}

/** Its mold is of no use any more, and would load the same code again. */
export function noteFailure(state: PlanState, failure: AppFailure, effects: Effect[]): void {
  state.failure = failure
  state.molded = state.molded.filter((generation) => generation !== failure.generation)
  effects.push({ do: 'app-failed', ...failure })
}
