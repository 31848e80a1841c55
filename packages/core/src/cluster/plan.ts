import type { ErrorData } from '../errors.js'
import type { Desired, Slot } from './desired.js'
import { servingWorkers } from './reconcile.js'
import type { Member, Role } from './roster.js'

/** A replacement of all workers: where it stands. */
export interface Roll {
  /** The request that asked for it. */
  request: number
  from: number
  to: number
  /**
   * `booting`: one worker of the new generation is on its way, beside the old ones. `settling`: it serves and has to
   * prove itself. `rolling`: the others follow, and the old ones retire.
   */
  phase: 'booting' | 'settling' | 'rolling'
  /** When `settling` ends (monotonic ms). */
  settleAt: number
  /** The worker that settles; the first of its generation to serve. */
  first?: number
}

/** The settings that the plan reads; each may change at run time. Durations in ms. */
export interface PlanSettings {
  workers: number
  spare: number
  surge: number
  settle: number
  maxRetiring: number
  bootAttempts: number
  bootTimeout: number
  hangTimeout: number
  drainTimeout: number
}

/** Everything that the plan remembers. */
export interface PlanState {
  settings: PlanSettings
  /** Names and counts of the services, which follow the generation. */
  services: readonly { name: string; count: number }[]
  /** The generation that serves. */
  current: number
  /** The last number given to a generation. */
  latest: number
  roll?: Roll
  /** A reload that waits for the running one: a queue of one. */
  queued?: number
  /** Whether any worker has ever served: one that is ready may still fail to listen. */
  everServed: boolean
  stopping: 'no' | 'graceful' | 'now'
}

export type PlanEvent =
  | { type: 'reload'; request: number }
  | { type: 'scale'; workers: number }
  | { type: 'settings'; settings: Partial<PlanSettings> }
  | { type: 'stop'; mode: 'graceful' | 'now' }
  /** The new generation could not even be prepared (entry gone, envFile missing). */
  | { type: 'generation-failed'; generation: number; error: ErrorData }
  | { type: 'ready'; id: number; role: Role; generation: number }
  | { type: 'serving'; id: number; role: Role; generation: number }
  | {
      type: 'exited'
      id: number
      role: Role
      generation: number
      /** It ended badly: by a crash or before it was ready, not because its end was chosen for it. */
      failed: boolean
      /** How often its place failed in a row. */
      failures: number
      served: boolean
      timedOut: boolean
      error: ErrorData
    }
  /** Nothing but time passed. */
  | { type: 'tick' }

/** What the plan asks of its caller beside the desired state. */
export type Effect =
  | { do: 'prepare'; generation: number; request: number }
  | { do: 'settled'; generation: number; first: number | undefined }
  | { do: 'done'; request: number; generation: number }
  | { do: 'failed'; request: number; generation: number; phase: FailedPhase; timedOut: boolean; error: ErrorData }
  | { do: 'superseded'; request: number }
  | { do: 'refused'; request: number }
  | { do: 'give-up'; error: ErrorData; timedOut: boolean }
  | { do: 'look-again'; at: number }

/** `prepare`: entry or envFile; `boot`: before ready; `settle`: within settle; `roll`: a later one did not boot. */
export type FailedPhase = 'prepare' | 'boot' | 'settle' | 'roll'

/** The state of a cluster at its start: generation 1 boots, there is no roll. */
export function initialPlan(settings: PlanSettings, services: PlanState['services']): PlanState {
  return { settings, services, current: 1, latest: 1, everServed: false, stopping: 'no' }
}

/**
 * Takes one event into account. Knows rolls: a queue of one, settle, and that a generation which does not boot or
 * settle changes nothing. Pure; the state given is not changed.
 * @param members the roster after the event
 * @param now monotonic ms
 */
export function plan(
  before: PlanState,
  event: PlanEvent,
  members: readonly Member[],
  now: number
): { state: PlanState; effects: Effect[] } {
  const state: PlanState = { ...before }
  const effects: Effect[] = []
  take(state, event, now, effects)
  advance(state, members, now, effects)
  return { state, effects }
}

/** What the plan wants to run at the moment. */
export function desiredOf(state: PlanState, members: readonly Member[] = []): Desired {
  const { settings, stopping } = state
  const stopped = stopping !== 'no'
  // Services outlive the workers in a stop: a worker that finishes may still need them.
  const workersLeft = members.some((member) => member.role === 'worker')
  return {
    slots: stopped ? (workersLeft ? remainingServices(state, members) : []) : slotsOf(state),
    capacity: stopped ? 0 : settings.workers,
    surge: settings.surge,
    maxRetiring: settings.maxRetiring,
    stopping,
    bootTimeout: settings.bootTimeout,
    hangTimeout: settings.hangTimeout,
    drainTimeout: settings.drainTimeout
  }
}

function slotsOf(state: PlanState): Slot[] {
  const { roll, settings, current } = state
  const workers = (generation: number, count: number, spare: number): Slot => ({
    role: 'worker',
    name: '',
    generation,
    count,
    spare
  })
  if (!roll) return [workers(current, settings.workers, settings.spare), ...serviceSlots(state, current)]
  if (roll.phase === 'rolling') {
    return [workers(roll.to, settings.workers, settings.spare), ...serviceSlots(state, roll.to)]
  }
  return [
    workers(roll.to, 1, 0),
    workers(roll.from, settings.workers, settings.spare),
    ...serviceSlots(state, roll.from)
  ]
}

function serviceSlots({ services }: PlanState, generation: number): Slot[] {
  return services.map(({ name, count }) => ({ role: 'service', name, generation, count, spare: 0 }))
}

/** In a stop: of whichever generation they are, for a roll may have been cut. */
function remainingServices(state: PlanState, members: readonly Member[]): Slot[] {
  const generations = members.flatMap(({ role, generation }) => (role === 'service' ? [generation] : []))
  return [...new Set(generations)].flatMap((generation) => serviceSlots(state, generation))
}

function take(state: PlanState, event: PlanEvent, now: number, effects: Effect[]): void {
  switch (event.type) {
    case 'reload':
      return takeReload(state, event.request, effects)
    case 'scale':
      state.settings = { ...state.settings, workers: event.workers }
      return
    case 'settings':
      state.settings = { ...state.settings, ...event.settings }
      return
    case 'stop':
      return takeStop(state, event.mode, effects)
    case 'generation-failed':
      if (state.roll?.to === event.generation) fail(state, 'prepare', event.error, false, effects)
      return
    case 'ready':
      return
    case 'serving':
      return takeServing(state, event, now)
    case 'exited':
      return takeExit(state, event, effects)
    case 'tick':
      return
    default:
      event satisfies never
  }
}

function takeReload(state: PlanState, request: number, effects: Effect[]): void {
  if (state.stopping !== 'no') {
    effects.push({ do: 'refused', request })
  } else if (state.roll) {
    if (state.queued !== undefined) effects.push({ do: 'superseded', request: state.queued })
    state.queued = request
  } else {
    start(state, request, effects)
  }
}

function start(state: PlanState, request: number, effects: Effect[]): void {
  state.latest += 1
  state.roll = { request, from: state.current, to: state.latest, phase: 'booting', settleAt: 0 }
  effects.push({ do: 'prepare', generation: state.latest, request })
}

function takeStop(state: PlanState, mode: 'graceful' | 'now', effects: Effect[]): void {
  if (state.stopping === 'now') return
  state.stopping = mode
  for (const request of [state.roll?.request, state.queued]) {
    if (request !== undefined) effects.push({ do: 'refused', request })
  }
  delete state.roll
  delete state.queued
}

function takeServing(state: PlanState, event: { id: number; role: Role; generation: number }, now: number): void {
  const { roll } = state
  if (event.role === 'worker') state.everServed = true
  if (event.role !== 'worker' || roll?.phase !== 'booting' || roll.to !== event.generation) return
  state.roll = { ...roll, phase: 'settling', settleAt: now + state.settings.settle, first: event.id }
}

function takeExit(state: PlanState, event: Extract<PlanEvent, { type: 'exited' }>, effects: Effect[]): void {
  if (event.role !== 'worker' || state.stopping !== 'no') return
  const { roll } = state
  if (roll && event.generation === roll.to) {
    if (roll.phase !== 'rolling') return fail(state, phaseOf(event), event.error, event.timedOut, effects)
    // A place that keeps crashing would hold the roll, and the reload that waits behind it, for ever.
    const hopeless = !event.served || event.failures >= state.settings.bootAttempts
    if (event.failed && hopeless) return fail(state, 'roll', event.error, event.timedOut, effects)
  }
  if (!state.roll && !state.everServed && event.failed && event.failures >= state.settings.bootAttempts) {
    effects.push({ do: 'give-up', error: event.error, timedOut: event.timedOut })
  }
}

function phaseOf(event: { served: boolean }): FailedPhase {
  return event.served ? 'settle' : 'boot'
}

function fail(state: PlanState, phase: FailedPhase, error: ErrorData, timedOut: boolean, effects: Effect[]): void {
  const { roll } = state
  if (!roll) return
  effects.push({ do: 'failed', request: roll.request, generation: roll.to, phase, timedOut, error })
  end(state, effects)
}

function end(state: PlanState, effects: Effect[]): void {
  delete state.roll
  const { queued } = state
  if (queued === undefined) return
  delete state.queued
  start(state, queued, effects)
}

/** What follows from time and from who is there. */
function advance(state: PlanState, members: readonly Member[], now: number, effects: Effect[]): void {
  const { roll } = state
  if (roll?.phase === 'settling') {
    if (now < roll.settleAt) {
      effects.push({ do: 'look-again', at: roll.settleAt })
      return
    }
    // One that is leaving or killed by then has proved nothing: its exit fails the roll.
    if (!members.some((member) => member.id === roll.first && isProved(member))) return
    state.roll = { ...roll, phase: 'rolling' }
    effects.push({ do: 'settled', generation: roll.to, first: roll.first })
  }
  if (state.roll?.phase === 'rolling') complete(state, state.roll, members, now, effects)
}

/** A roll is complete when the target serves in the new generation and nothing older is left that is not retiring. */
function complete(state: PlanState, roll: Roll, members: readonly Member[], now: number, effects: Effect[]): void {
  const present = members.filter(({ role, state, killed }) => role === 'worker' && state !== 'retiring' && !killed)
  const renewed = present.filter(({ generation }) => generation === roll.to)
  if (servingWorkers(renewed) < state.settings.workers) return
  if (renewed.length < present.length) {
    // The last old ones retire now, which is no event: without a look the roll would end with their drain.
    effects.push({ do: 'look-again', at: now })
    return
  }
  state.current = roll.to
  effects.push({ do: 'done', request: roll.request, generation: roll.to })
  end(state, effects)
}

function isProved({ state, stale, killed }: Member): boolean {
  return state === 'serving' && !stale && !killed
}
