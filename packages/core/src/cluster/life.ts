import { takeBaseExit } from './base.js'
import { noteCrash, takeMoldExit, takeNotPromoted } from './molds.js'
import { takeFailure } from './old-first.js'
import type { Effect, PlanEvent, PlanState } from './plan.js'
import { fail, type Roll } from './roll.js'
import type { Role } from './roster.js'
import { noteServed } from './setup.js'
import { takeCanaryExit, takeNextCanary } from './soak.js'

/** A worker serves: the first one of a new generation settles. */
export function takeServing(
  state: PlanState,
  event: { id: number; role: Role; generation: number },
  now: number
): void {
  const { roll } = state
  if (event.role === 'worker') {
    state.everServed = true
    noteServed(state, event.generation)
  }
  if (event.role !== 'worker' || roll?.to !== event.generation) return
  if (roll.phase === 'soaking') return takeNextCanary(state, roll, event.id, now)
  if (roll.phase !== 'booting') return
  // What is rolled back to has proved itself before.
  const settle = roll.kind === 'rollback' ? 0 : state.settings.settle
  state.roll = { ...roll, phase: 'settling', settleAt: now + settle, first: event.id }
}

/** A process has ended: a roll may fail by it, the app may, or nothing follows but that it is replaced. */
export function takeExit(
  state: PlanState,
  event: Extract<PlanEvent, { type: 'exited' }>,
  now: number,
  effects: Effect[]
): void {
  if (event.role === 'service' || state.stopping !== 'no' || event.fallback) return
  if (event.role === 'mold' && event.generation < 0) return takeBaseExit(state, event, effects)
  if (event.role === 'mold') return takeMoldExit(state, event, effects)
  const { roll } = state
  if (roll?.phase === 'promoting' && roll.first === event.id) return takeNotPromoted(state, event, effects)
  if (event.excused) return
  if (roll && event.generation === roll.to && !leftBefore(roll, event)) {
    if (takeCanaryExit(state, roll, event, effects)) return
    if (roll.phase !== 'rolling') {
      return fail(state, event.served ? 'settle' : 'boot', event.error, event.timedOut, effects)
    }
    // A place that keeps crashing would hold the roll, and the reload that waits behind it, for ever.
    const { bootAttempts, fallback } = state.settings
    const hopeless = !event.served || event.failures >= bootAttempts || fallback
    const phase = !roll.oldFirst ? 'roll' : event.served ? 'settle' : 'boot'
    if (event.failed && hopeless) return fail(state, phase, event.error, event.timedOut, effects)
  }
  if (takeFailure(state, event, effects)) return
  if (!state.roll && !state.everServed && event.failed && event.failures >= state.settings.bootAttempts) {
    effects.push({ do: 'give-up', error: event.error, timedOut: event.timedOut })
  }
  noteCrash(state, event, now, effects)
}

/** A rollback's generation has workers of the time when it served: that they have left now says nothing of it. */
function leftBefore({ kind, first }: Roll, { id, failed }: { id: number; failed: boolean }): boolean {
  return kind === 'rollback' && !failed && id !== first
}
