import type { ErrorData } from '../errors.js'
import { noteFailure } from './old-first.js'
import type { Effect, PlanEvent, PlanState } from './plan.js'
import { begin, enqueue, fail, forgetMolds, isBusy } from './roll.js'

type Exit = Extract<PlanEvent, { type: 'exited' }>

/** A refork needs workers that were forked: one of them becomes the mold of the same code. */
export function takeRefork(state: PlanState, request: number, effects: Effect[]): void {
  if (state.stopping !== 'no') effects.push({ do: 'refused', request, why: 'stopping' })
  else if (!state.molded.includes(state.current)) effects.push({ do: 'refused', request, why: 'not-molded' })
  else if (isBusy(state)) enqueue(state, request, 'refork', effects)
  else begin(state, request, 'refork', effects)
}

/** Calls a running roll back, or rolls back to the generation before, as long as its mold is kept. */
export function takeRollback(state: PlanState, request: number, now: number, effects: Effect[]): void {
  const { roll, previous } = state
  if (state.stopping !== 'no') {
    effects.push({ do: 'refused', request, why: 'stopping' })
  } else if (roll?.kind === 'reload' && !roll.oldFirst) {
    // What waits would bring new code all the same.
    if (state.queued) effects.push({ do: 'superseded', request: state.queued.request })
    delete state.queued
    fail(state, 'rollback', CALLED_BACK, false, effects)
    effects.push({ do: 'done', request, generation: state.current, kind: 'rollback' })
  } else if (roll || !previous || now >= previous.until) {
    effects.push({ do: 'refused', request, why: 'nothing-before' })
  } else {
    rollBack(state, previous.generation, { request }, effects)
  }
}

function rollBack(
  state: PlanState,
  to: number,
  why: { request: number } | { crashes: number; error: ErrorData },
  effects: Effect[]
): void {
  const { current: from } = state
  const asked = 'request' in why ? { request: why.request } : {}
  state.roll = { kind: 'rollback', from, to, phase: 'booting', settleAt: 0, ...asked }
  effects.push({ do: 'roll-back', from, to, ...('request' in why ? {} : { because: why }) })
}

/** Rolls back by itself when the generation that serves loses too many workers while there is a way back. */
export function noteCrash(state: PlanState, event: Exit, now: number, effects: Effect[]): void {
  const { previous, roll, current, settings } = state
  if (!previous || now >= previous.until || roll || event.generation !== current) return
  if (!event.failed || settings.rollbackShare === 0) return
  state.crashes += 1
  // One alone says little, even where it is the only one.
  if (state.crashes <= Math.max(1, settings.rollbackShare * settings.workers)) return
  rollBack(state, previous.generation, { crashes: state.crashes, error: event.error }, effects)
}

/** Serving workers are not touched by what becomes of their mold. */
export function takeMoldExit(state: PlanState, event: Exit, effects: Effect[]): void {
  const { roll, previous, settings, everServed } = state
  const { generation, failed, failures, served, error, timedOut } = event
  if (generation === previous?.generation && generation !== roll?.to) {
    // From disk it could not be made again with certainty.
    delete state.previous
    forgetMolds(state)
    return
  }
  if (!failed) return
  if (roll?.to === generation && (roll.phase === 'booting' || roll.oldFirst) && !served) {
    return fail(state, 'boot', error, timedOut, effects)
  }
  if (failures < settings.bootAttempts) return
  if (roll?.to === generation) return fail(state, 'roll', error, timedOut, effects)
  if (!everServed && !roll && !served) {
    if (settings.fallback) return noteFailure(state, { generation, phase: 'boot', error }, effects)
    effects.push({ do: 'give-up', error, timedOut })
    return
  }
  if (!state.molded.includes(generation)) return
  effects.push({ do: 'mold-lost', generation, error })
  doWithout(state, generation, error, effects)
}

/** From now on the generation's workers are spawned, so that they are replaced all the same. */
function doWithout(state: PlanState, generation: number, error: ErrorData, effects: Effect[]): void {
  state.molded = state.molded.filter((one) => one !== generation)
  // Workers that are spawned become no molds, and there is nothing to fork another mold from.
  const { roll } = state
  const waiting = roll?.phase === 'promoting' || (roll?.phase === 'booting' && roll.warm)
  if (roll?.kind === 'refork' && roll.from === generation && waiting) fail(state, 'promote', error, false, effects)
}

/** A mold that holds what must not be shared is never forked: the generation is spawned, or refused. */
export function takeUnclean(
  state: PlanState,
  { generation, fatal, error }: Extract<PlanEvent, { type: 'mold-unclean' }>,
  effects: Effect[]
): void {
  const refork = state.roll?.kind === 'refork' && state.roll.to === generation
  if (refork) {
    fail(state, 'promote', error, false, effects)
  } else if (!fatal || (state.everServed && state.roll?.to !== generation)) {
    // What serves already is kept alive in any case.
    doWithout(state, generation, error, effects)
  } else if (state.roll?.to === generation) {
    fail(state, 'boot', error, false, effects)
  } else {
    effects.push({ do: 'give-up', error, timedOut: false })
  }
}

/** The new generation has its mold: from here on it is a roll like any other. */
export function takePromoted(state: PlanState, { generation }: Extract<PlanEvent, { type: 'promoted' }>): void {
  const { roll } = state
  if (roll?.phase !== 'promoting' || roll.to !== generation) return
  const { first: _, ...rest } = roll
  state.molded = [...state.molded, generation]
  state.roll = { ...rest, phase: 'booting' }
}

/** Another worker is tried; after so many a mold is warmed up instead, or the refork is given up. */
export function takeNotPromoted(state: PlanState, event: { id: number; error: ErrorData }, effects: Effect[]): void {
  const { roll } = state
  if (roll?.phase !== 'promoting' || roll.first !== event.id) return
  const { first: _, ...rest } = roll
  const unfit = [...(roll.unfit ?? []), event.id]
  state.roll = { ...rest, unfit }
  if (unfit.length < PROMOTIONS) return
  if (!state.settings.warmup) return fail(state, 'promote', event.error, false, effects)
  state.molded = [...state.molded, roll.to]
  state.roll = { ...rest, phase: 'booting', warm: true }
  effects.push({ do: 'warm-up', generation: roll.to, error: event.error })
}

const CALLED_BACK: ErrorData = {
  name: 'Error',
  message: 'it was called back by a rollback',
  stack: 'Error: it was called back by a rollback'
}
/** How many workers may prove unfit to become a mold. */
const PROMOTIONS = 2
