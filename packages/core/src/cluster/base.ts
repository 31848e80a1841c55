import type { ErrorData } from '../errors.js'
import type { Effect, PlanEvent, PlanState } from './plan.js'

/**
 * A mold that holds modules and no code of the app's, so that workers of any generation come from it. Its number is below
 * 0: it is of no generation.
 */
export interface Base {
  generation: number
  /** A standby process: it becomes the worker itself. */
  once?: true
  /** The number of a process that is forked from it ahead of time and waits to become the next worker. */
  held?: number
}

/** Another base is made beside the one in use, and takes its place when it is ready. */
export function takePrime(state: PlanState, base: Base, effects: Effect[]): void {
  dropNext(state, SUPERSEDED, effects)
  if (state.stopping === 'no') state.nextBase = base
}

export function takeBaseReady(state: PlanState, generation: number, effects: Effect[]): void {
  if (state.nextBase?.generation !== generation) return
  state.base = state.nextBase
  delete state.nextBase
  effects.push({ do: 'primed', generation })
}

/** One that could not be made is given up at once: what it loads would fail again. One that was in use is made anew. */
export function takeBaseExit(
  state: PlanState,
  { generation, failed, failures, error }: Extract<PlanEvent, { type: 'exited' }>,
  effects: Effect[]
): void {
  if (!failed) return
  if (state.nextBase?.generation === generation) return dropNext(state, error, effects)
  if (failures < state.settings.bootAttempts) return
  // Then each worker is forked when it is wanted.
  if (state.base?.held === generation) state.base = { generation: state.base.generation }
  if (state.base?.generation !== generation) return
  delete state.base
  effects.push({ do: 'mold-lost', generation, error })
}

export function takeBaseUnclean(
  state: PlanState,
  { generation, error }: Extract<PlanEvent, { type: 'mold-unclean' }>,
  effects: Effect[]
): void {
  if (state.nextBase?.generation === generation) return dropNext(state, error, effects)
  if (state.base?.generation !== generation) return
  delete state.base
  effects.push({ do: 'mold-lost', generation, error })
}

function dropNext(state: PlanState, error: Parameters<typeof takeBaseExit>[1]['error'], effects: Effect[]): void {
  const { nextBase } = state
  if (!nextBase) return
  delete state.nextBase
  effects.push({ do: 'prime-failed', generation: nextBase.generation, error })
}

const SUPERSEDED: ErrorData = {
  name: 'MapacheError',
  code: 'MAPACHE_RELOAD_SUPERSEDED',
  message: 'MAPACHE_RELOAD_SUPERSEDED: another base took its place',
  stack: 'MapacheError: MAPACHE_RELOAD_SUPERSEDED: another base took its place'
}
