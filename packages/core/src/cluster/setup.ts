import type { ErrorData } from '../errors.js'
import type { Desired, Slot } from './desired.js'
import { noteFailure } from './old-first.js'
import type { Effect, PlanEvent, PlanState } from './plan.js'
import type { Action } from './reconcile.js'
import { beginQueued, fail } from './roll.js'
import type { Member } from './roster.js'

/** What the plan remembers of set-ups. */
export interface Setups {
  /** Whether the code is known to have one: then a generation begins with it. */
  known: boolean
  /** The set-up of the very first generation runs, which no roll brings. */
  first?: true
  /** The generation of the start, which asked for its set-up only when a roll ran: it has it when that has failed. */
  late?: number
  /** The generations whose set-up has ended well, or was not there, as far as they may still matter. */
  ran: readonly number[]
  /** The generation whose set-up was looked for last, and was not found. */
  without?: number
  /** The generation whose set-up failed though it is the current one: nothing of it is launched. */
  failed?: number
  /** The generations that have served, as far as they may still matter: they are not set up any more. */
  served: readonly number[]
  /** Whether the teardown has run, or there is none to run. */
  torn?: true
}

/** @param known whether the code that is started brings a set-up, as far as the supervisor can tell */
export function initialSetups(known: boolean): Setups {
  return { known, ran: [], served: [], ...(known ? { first: true as const } : {}) }
}

/** The generation whose set-up is to end before anything else of it is launched. */
export function settingUp({ roll, current, setups }: PlanState): number | undefined {
  if (roll) return roll.phase === 'setting-up' ? roll.to : undefined
  return setups.first ? current : undefined
}

/** Whether nothing of a generation may be launched, because its set-up has not ended, or has failed. */
export function isHeldBack(state: PlanState, generation: number): boolean {
  const { failed, late } = state.setups
  return settingUp(state) === generation || failed === generation || late === generation
}

/**
 * Whether a process of the generation may ask for its set-up: only ahead of the first one that serves. What replaces a
 * process later runs none, whatever its code says by then.
 */
export function mayWantSetup(state: PlanState, generation: number): boolean {
  const { roll, setups, stopping, current } = state
  if (stopping !== 'no' || setups.ran.includes(generation) || isHeldBack(state, generation)) return false
  if (generation === current) return !setups.served.includes(generation)
  if (!roll) return false
  const begins = roll.phase === 'booting' || (roll.oldFirst === true && roll.phase === 'rolling')
  return roll.kind === 'reload' && roll.to === generation && begins
}

/**
 * What a process of the generation is told of its set-up; undefined: it may ask for it. Ahead of the first one that serves
 * code has no set-up that was not found.
 */
export function setUpOf(state: PlanState, generation: number): 'ran' | 'not-found' | undefined {
  if (mayWantSetup(state, generation)) return undefined
  const { without, served } = state.setups
  return without === generation && !served.includes(generation) ? 'not-found' : 'ran'
}

/** A worker of the generation serves. */
export function noteServed(state: PlanState, generation: number): void {
  const { setups, current, roll, previous } = state
  const kept = setups.served.filter((one) => [current, roll?.to, previous?.generation].includes(one))
  state.setups = { ...setups, served: [...kept.filter((one) => one !== generation), generation] }
}

/** A process of a generation found, when it came to listen, that its code brings a set-up, and leaves. */
export function takeSetupWanted(state: PlanState, generation: number, effects: Effect[]): void {
  if (!mayWantSetup(state, generation)) return
  const { roll, setups } = state
  const known = { ...setups, known: true }
  if (!roll) state.setups = { ...known, first: true }
  else if (roll.to !== generation) {
    state.setups = { ...known, late: generation }
    // It would wait for a worker to become the mold, and none comes before the set-up.
    if (roll.kind === 'refork') fail(state, 'promote', NOT_SET_UP, false, effects)
  } else {
    state.setups = known
    state.roll = { ...roll, phase: 'setting-up' }
  }
}

/** After a roll: what has waited for its end has its set-up now, if it is still wanted. */
export function resumeSetup(state: PlanState): void {
  const { late, ...rest } = state.setups
  if (late === undefined) return
  state.setups = late === state.current ? { ...rest, first: true } : rest
  // There is no way back to what was never set up.
  if (late !== state.current) neverServe(state, late)
}

/** A set-up or a teardown has ended. One that nobody waits for any more ended for nothing. */
export function takeTaskEnd(
  state: PlanState,
  event: Extract<PlanEvent, { type: 'task-ended' }>,
  effects: Effect[]
): void {
  const { name, generation, outcome, error, timedOut } = event
  if (name === 'teardown') {
    state.setups = { ...state.setups, torn: true }
    return
  }
  if (state.stopping !== 'no' || settingUp(state) !== generation) return
  if (outcome === 'failed') return setupFailed(state, { generation, error, timedOut }, effects)
  const { first: _, without: __, ...rest } = state.setups
  const ran = [...rest.ran.filter((one) => one >= state.current), generation]
  const without = outcome === 'done' ? {} : { without: generation }
  state.setups = { ...rest, known: outcome === 'done', ran, ...without }
  const { roll } = state
  if (roll) state.roll = { ...roll, phase: roll.oldFirst ? 'rolling' : 'booting' }
  else beginQueued(state, effects)
}

/** It is not tried again by itself: what it does may be half done, and is not to be hammered. */
function setupFailed(
  state: PlanState,
  { generation, error, timedOut }: { generation: number; error: ErrorData; timedOut: boolean },
  effects: Effect[]
): void {
  const { roll, settings, everServed } = state
  const { first: _, ...rest } = state.setups
  state.setups = rest
  // Of the others the generation before serves on.
  if (!roll || roll.oldFirst) {
    state.setups = { ...rest, failed: generation }
    neverServe(state, generation)
  }
  if (roll) return fail(state, 'setup', error, timedOut, effects)
  if (settings.fallback) noteFailure(state, { generation, phase: 'boot', error }, effects)
  else if (!everServed) effects.push({ do: 'give-up', error, timedOut, setup: true })
  beginQueued(state, effects)
}

/** A reload that waits for nothing takes the place of what sets up: of the generation at the start nothing will run. */
export function dropSetup(state: PlanState): void {
  const { first, late, ...rest } = state.setups
  state.setups = first || late === state.current ? { ...rest, failed: state.current } : rest
}

/** A generation that could not be prepared has the code of the one before in its place, which has had its set-up or not. */
export function repeatSetup(state: PlanState, from: number, to: number): void {
  if (state.setups.failed !== from || state.current !== to) return
  state.setups = { ...state.setups, failed: to }
  neverServe(state, to)
}

/** Neither a mold is kept of it, for itself or for a rollback. */
function neverServe(state: PlanState, generation: number): void {
  state.molded = state.molded.filter((one) => one !== generation)
  if (state.previous?.generation === generation) delete state.previous
}

/** The process of a generation's set-up, while it is awaited. */
export function setupSlots(state: PlanState): Slot[] {
  const generation = settingUp(state)
  return generation === undefined ? [] : [taskSlot('setup', generation)]
}

/** In a graceful stop, when all else is gone: the teardown of what has served. */
export function teardownSlots(state: PlanState, members: readonly Member[]): Slot[] {
  const { stopping, everServed, setups, settings, current } = state
  if (stopping !== 'graceful' || !everServed || setups.torn || !settings.teardown) return []
  if (members.some(({ role, name }) => role !== 'task' || name !== 'teardown')) return []
  return [taskSlot('teardown', current)]
}

/**
 * What time does to a task: it is told that its time is over, and killed if it does not end then. Its boot and its silence
 * have no other limit: a migration may well block the loop.
 * @param now monotonic ms
 * @returns what is to be done, and when to look again
 */
export function taskDeadline(
  { setupTimeout, drainTimeout }: Pick<Desired, 'setupTimeout' | 'drainTimeout'>,
  { id, state, since, launchedAt, reason }: Member,
  now: number
): { action?: Action; next: number } {
  if (state === 'retiring') {
    const late = reason === 'setup-timeout'
    const at = since + (late ? ABORT_GRACE : drainTimeout)
    if (at > now) return { next: at }
    return { action: { do: 'kill', id, reason: late ? reason : 'drain-timeout' }, next: now }
  }
  const at = setupTimeout === 0 ? Number.POSITIVE_INFINITY : launchedAt + setupTimeout
  if (at > now) return { next: at }
  return { action: { do: state === 'launching' ? 'kill' : 'retire', id, reason: 'setup-timeout' }, next: now }
}

function taskSlot(name: 'setup' | 'teardown', generation: number): Slot {
  return { role: 'task', name, generation, from: 'disk', count: 1, spare: 0 }
}

const NOT_SET_UP: ErrorData = {
  name: 'Error',
  message: 'its code has to be set up first',
  stack: 'Error: its code has to be set up first'
}
/** How long a task that was told that its time is over may take to end, before it is killed, ms. */
const ABORT_GRACE = 5_000
