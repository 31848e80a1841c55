import type { Base } from './base.js'
import type { Desired, Slot } from './desired.js'
import type { PlanState } from './plan.js'
import type { Member, Origin } from './roster.js'
import { isHeldBack, setupSlots, teardownSlots } from './setup.js'

/** What the plan wants to run at the moment. */
export function desiredOf(state: PlanState, members: readonly Member[] = []): Desired {
  const { settings, stopping } = state
  const stopped = stopping !== 'no'
  // Services outlive the workers in a stop: a worker that finishes may still need them.
  const workersLeft = members.some((member) => member.role === 'worker')
  // No worker of an app that has failed is any better than the fallback.
  const oldFirst = state.roll ? state.roll.oldFirst === true : state.failure !== undefined
  // As soon as one worker of new code has settled there is no use for the fallback.
  const kept = stopped || oldFirst ? 0 : state.failure ? 1 : settings.workers
  return {
    slots: stopped ? (workersLeft ? remainingServices(state, members) : teardownSlots(state, members)) : slotsOf(state),
    capacity: kept,
    oldFirst,
    surge: settings.surge + (stopped ? 0 : settings.workers - kept),
    maxRetiring: settings.maxRetiring,
    stopping,
    bootTimeout: settings.bootTimeout,
    hangTimeout: settings.hangTimeout,
    drainTimeout: settings.drainTimeout,
    setupTimeout: settings.setupTimeout
  }
}

function slotsOf(state: PlanState): Slot[] {
  const { roll, settings, current, molded, previous } = state
  const workers = (generation: number, count: number, held = true): Slot[] => {
    const from: Origin = molded.includes(generation) ? 'mold' : 'disk'
    const spare = held ? sparesOf(state, from) : 0
    const slot = { role: 'worker', name: '', generation, from, count, spare } as const
    if (state.failure?.generation === generation) {
      // An app that has failed before it ever served has no address yet.
      return state.everServed ? [{ ...slot, from: 'disk', count: 1, spare: 0, fallback: true }] : []
    }
    if (isHeldBack(state, generation)) return []
    const { base } = state
    return [base ? { ...slot, from: 'mold', parent: base.held ?? base.generation } : slot]
  }
  const generations = new Set([current, roll?.from, roll?.to, previous?.generation])
  const bases = [state.base, state.nextBase].flatMap((base): Slot[] => (base ? baseSlots(base) : []))
  const own = molded.flatMap((generation): Slot[] => {
    if (!generations.has(generation) || isHeldBack(state, generation)) return []
    const warm = roll?.warm && roll.to === generation
    const how = warm ? ({ from: 'mold', parent: roll.from } as const) : ({ from: 'disk' } as const)
    return [{ role: 'mold', name: '', generation, ...how, count: 1, spare: 0 }]
  })
  const molds = [...bases, ...own, ...setupSlots(state)]
  if (!roll || roll.phase === 'promoting') {
    return [...molds, ...workers(current, settings.workers), ...serviceSlots(state, current)]
  }
  if (roll.phase === 'rolling') {
    return [...molds, ...workers(roll.to, settings.workers), ...serviceSlots(state, roll.to)]
  }
  if (roll.phase === 'setting-up' && roll.oldFirst) return [...molds, ...serviceSlots(state, roll.from)]
  // The spares are renewed first: new code that has booted once waits for its proof with workers that need not boot any more.
  // Beside a canary the old ones stay: it may be a while until it is known whose spares are wanted.
  const isRenewing = roll.phase === 'settling' && !roll.canary
  return [
    ...molds,
    ...workers(roll.to, 1, isRenewing),
    ...workers(roll.from, settings.workers, !isRenewing),
    ...serviceSlots(state, roll.from)
  ]
}

/** Forked ones cost little: there is one where workers come from a mold of their own. */
function sparesOf({ settings, base }: PlanState, from: Origin): number {
  if (settings.spare !== 'auto') return settings.spare
  return from === 'mold' && !base ? 1 : 0
}

function baseSlots({ generation, once, held }: Base): Slot[] {
  const mold = { role: 'mold', name: '', count: 1, spare: 0 } as const
  const own: Slot = { ...mold, generation, from: 'disk', ...(once ? { once } : {}) }
  return held === undefined ? [own] : [own, { ...mold, generation: held, from: 'mold', parent: generation, once: true }]
}

function serviceSlots(state: PlanState, generation: number): Slot[] {
  if (isHeldBack(state, generation)) return []
  return state.services.map((service) => ({ ...service, role: 'service', generation, from: 'disk', spare: 0 }))
}

/** In a stop: of whichever generation they are, for a roll may have been cut. */
function remainingServices(state: PlanState, members: readonly Member[]): Slot[] {
  const generations = members.flatMap(({ role, generation }) => (role === 'service' ? [generation] : []))
  return [...new Set(generations)].flatMap((generation) => serviceSlots(state, generation))
}
