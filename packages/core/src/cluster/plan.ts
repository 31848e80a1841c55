import type { ErrorData } from '../errors.js'
import { type Base, takeBaseReady, takeBaseUnclean, takePrime } from './base.js'
import type { CanaryRule } from './canary.js'
import { takeUnhealthy } from './health.js'
import { takeExit, takeServing } from './life.js'
import { takeNotPromoted, takePromoted, takeRefork, takeRollback, takeUnclean } from './molds.js'
import { type AppFailure, takeOldFirst } from './old-first.js'
import { advance, fail, type Roll, type RollKind, takeReload } from './roll.js'
import type { Member, Role } from './roster.js'
import { initialSetups, repeatSetup, type Setups, takeSetupWanted, takeTaskEnd } from './setup.js'
import { type Judged, takeJudged } from './soak.js'

export type { Roll }

/** The settings that the plan reads; each may change at run time. Durations in ms. */
export interface PlanSettings {
  workers: number
  /** `auto`: one where workers are forked from their generation's mold, else none. */
  spare: number | 'auto'
  surge: number
  settle: number
  /** What the first worker of each reload has to hold out against. */
  canary: CanaryRule | false
  maxRetiring: number
  bootAttempts: number
  bootTimeout: number
  hangTimeout: number
  drainTimeout: number
  setupTimeout: number
  /** How long the mold of the generation before is kept for a rollback. */
  rollbackWindow: number
  /** A generation that loses more than this share of its workers to crashes in that window is rolled back; 0 is never. */
  rollbackShare: number
  /** Whether the workers of generations to come are forked from molds. */
  fork: boolean
  /** Whether the app brings what warms up a mold that no worker could become. */
  warmup: boolean
  /** Whether a module brings what serves in place of an app that has failed. */
  fallback: boolean
  /** Whether the code brings what runs when the cluster stops. */
  teardown: boolean
}

/** Everything that the plan remembers. */
export interface PlanState {
  settings: PlanSettings
  /** Names and counts of the services, which follow the generation. */
  services: readonly { name: string; count: number; alone?: true }[]
  /** The generation that serves. */
  current: number
  /** The last number given to a generation. */
  latest: number
  roll?: Roll
  /** A roll that waits for the running one: a queue of one. */
  queued?: { request: number; kind: RollKind; canary?: CanaryRule | false }
  /** Whether any worker has ever served: one that is ready may still fail to listen. */
  everServed: boolean
  stopping: 'no' | 'graceful' | 'now'
  /** The generations whose workers are forked, each from a mold of its own. */
  molded: readonly number[]
  /** The generation that served before, whose mold is kept idle until then (monotonic ms) for a rollback. */
  previous?: { generation: number; until: number }
  /** How many workers the current generation lost to crashes while there is a way back. */
  crashes: number
  /** Why the fallback serves in place of the app. */
  failure?: AppFailure
  /** The mold that workers of any generation come from, because it holds no code of the app's; and the one to come. */
  base?: Base
  nextBase?: Base
  setups: Setups
}

export type PlanEvent =
  /** With a canary, or for once with none, or as the option says. */
  | { type: 'reload'; request: number; canary?: CanaryRule | false }
  | { type: 'refork' | 'rollback'; request: number }
  | { type: 'reload-old-first'; request: number }
  /** A mold is wanted that workers of any generation come from; it has a number below 0. */
  | ({ type: 'prime' } & Base)
  | { type: 'scale'; workers: number }
  | { type: 'settings'; settings: Partial<PlanSettings> }
  | { type: 'stop'; mode: 'graceful' | 'now' }
  /** The new generation could not even be prepared (entry gone, envFile missing). */
  | { type: 'generation-failed'; generation: number; error: ErrorData }
  | { type: 'ready'; id: number; role: Role; generation: number }
  | { type: 'serving'; id: number; role: Role; generation: number }
  /** Its health check has failed too often in a row. */
  | { type: 'unhealthy'; id: number; error: ErrorData }
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
      /** It could not be forked, which says nothing of its code. */
      excused?: boolean
      /** It was not the app that ran there. */
      fallback?: boolean
      error: ErrorData
    }
  /** The mold of a generation holds what must not be forked. `fatal` when it may not be spawned instead. */
  | { type: 'mold-unclean'; generation: number; fatal: boolean; error: ErrorData }
  /** A worker that was drained for it is the mold of the new generation now, or was not fit for it. */
  | { type: 'promoted'; id: number; generation: number }
  | { type: 'not-promoted'; id: number; error: ErrorData }
  /** The canary was compared with the old generation. */
  | Judged
  /** A process that has not served yet found that its code brings a set-up, and leaves. */
  | { type: 'setup-wanted'; generation: number }
  /** `none`: the code brings no such task. */
  | {
      type: 'task-ended'
      name: string
      generation: number
      outcome: 'done' | 'none' | 'failed'
      timedOut: boolean
      error: ErrorData
    }
  /** Nothing but time passed. */
  | { type: 'tick' }

/** What the plan asks of its caller beside the desired state. */
export type Effect =
  | { do: 'prepare'; generation: number; request: number; kind: RollKind; from: number; oldFirst?: true }
  | { do: 'promote'; id: number; generation: number }
  /** No worker could become the mold: a fork of the one that is there is warmed up in its place. */
  | { do: 'warm-up'; generation: number; error: ErrorData }
  /** The first worker has settled; what it and the old ones answer is counted from now on. */
  | { do: 'soaking'; generation: number; first: number; rule: CanaryRule }
  /** The soak is over: `judged` is wanted at once. */
  | { do: 'judge'; first: number }
  | { do: 'soaked'; generation: number }
  | { do: 'settled'; generation: number; first: number | undefined }
  | { do: 'done'; request: number; generation: number; kind: RollKind }
  | { do: 'failed'; request: number; generation: number; phase: FailedPhase; timedOut: boolean; error: ErrorData }
  | { do: 'superseded'; request: number }
  | { do: 'refused'; request: number; why: Refusal }
  /** Begins to roll back: somebody asked for it, or `because` of so many crashes. */
  | { do: 'roll-back'; from: number; to: number; because?: { crashes: number; error: ErrorData } }
  /** A generation's mold cannot be kept alive: its workers are spawned from now on. */
  | { do: 'mold-lost'; generation: number; error: ErrorData }
  /** The app serves no more; the fallback does in its place. */
  | ({ do: 'app-failed' } & AppFailure)
  | { do: 'primed'; generation: number }
  | { do: 'prime-failed'; generation: number; error: ErrorData }
  | { do: 'give-up'; error: ErrorData; timedOut: boolean; setup?: true }
  | { do: 'look-again'; at: number }

/**
 * `prepare`: entry or envFile; `setup`: the set-up failed; `promote`: no worker could become a mold; `boot`: before ready;
 * `settle`: within settle; `canary`: worse than the old generation; `roll`: a later one did not boot; `rollback`: called back
 * while it rolled.
 */
export type FailedPhase = 'prepare' | 'setup' | 'promote' | 'boot' | 'settle' | 'canary' | 'roll' | 'rollback'

export type Refusal = 'stopping' | 'not-molded' | 'nothing-before'

/**
 * The state of a cluster at its start: generation 1 boots, there is no roll.
 * @param setup whether the code is known to bring a set-up
 */
export function initialPlan(settings: PlanSettings, services: PlanState['services'], setup = false): PlanState {
  const molded = settings.fork ? [1] : []
  const setups = initialSetups(setup)
  return { settings, services, current: 1, latest: 1, everServed: false, stopping: 'no', molded, crashes: 0, setups }
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
  take(state, event, members, now, effects)
  advance(state, members, now, effects)
  return { state, effects }
}

function take(state: PlanState, event: PlanEvent, members: readonly Member[], now: number, effects: Effect[]): void {
  switch (event.type) {
    case 'reload':
      return takeReload(state, event, effects)
    case 'reload-old-first':
      return takeOldFirst(state, event.request, effects)
    case 'prime': {
      const { type: _, ...base } = event
      return takePrime(state, base, effects)
    }
    case 'refork':
      return takeRefork(state, event.request, effects)
    case 'rollback':
      return takeRollback(state, event.request, now, effects)
    case 'scale':
      state.settings = { ...state.settings, workers: event.workers }
      return
    case 'settings':
      state.settings = { ...state.settings, ...event.settings }
      return
    case 'stop':
      return takeStop(state, event.mode, effects)
    case 'generation-failed':
      return takeUnprepared(state, event, effects)
    case 'ready':
      if (event.role === 'mold') takeBaseReady(state, event.generation, effects)
      return
    case 'serving':
      return takeServing(state, event, now)
    case 'unhealthy':
      return takeUnhealthy(state, event, effects)
    case 'exited':
      return takeExit(state, event, now, effects)
    case 'mold-unclean':
      if (event.generation < 0) return takeBaseUnclean(state, event, effects)
      return takeUnclean(state, event, effects)
    case 'promoted':
      return takePromoted(state, event)
    case 'not-promoted':
      return takeNotPromoted(state, event, effects)
    case 'judged':
      return takeJudged(state, event, members, effects)
    case 'setup-wanted':
      return takeSetupWanted(state, event.generation, effects)
    case 'task-ended':
      return takeTaskEnd(state, event, effects)
    case 'tick':
      return
    default:
      event satisfies never
  }
}

function takeUnprepared(
  state: PlanState,
  { generation, error }: Extract<PlanEvent, { type: 'generation-failed' }>,
  effects: Effect[]
): void {
  const { roll } = state
  if (roll?.to !== generation) return
  fail(state, 'prepare', error, false, effects)
  repeatSetup(state, roll.from, generation)
}

function takeStop(state: PlanState, mode: 'graceful' | 'now', effects: Effect[]): void {
  if (state.stopping === 'now') return
  state.stopping = mode
  for (const request of [state.roll?.request, state.queued?.request]) {
    if (request !== undefined) effects.push({ do: 'refused', request, why: 'stopping' })
  }
  delete state.roll
  delete state.queued
  delete state.previous
}
