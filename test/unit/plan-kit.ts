import type { Desired } from '#core/cluster/desired.js'
import {
  type Effect,
  initialPlan,
  type PlanEvent,
  type PlanSettings,
  type PlanState,
  plan
} from '#core/cluster/plan.js'
import { desiredOf } from '#core/cluster/slots.js'
import { moreOf, toMembers, whoIs } from './cluster-kit.js'

type Exit = Extract<PlanEvent, { type: 'exited' }>

/** A plan with the events that it took, and a roster that the test gives as text. */
export class Planned {
  state: PlanState
  now = 0
  /** See `toMembers`: ids from 1. */
  members: string[] = []

  /** @param setup whether the code is known to bring a set-up */
  constructor(settings: Partial<PlanSettings> = {}, services: PlanState['services'] = [], setup = false) {
    this.state = initialPlan({ ...SETTINGS, ...settings }, services, setup)
  }

  get phase(): string | undefined {
    return this.state.roll?.phase
  }

  /** @returns the effects as text */
  take(event: PlanEvent): string[] {
    const before = JSON.stringify(this.state)
    const given = this.state
    const { state, effects } = plan(given, event, toMembers(this.members), this.now)
    if (JSON.stringify(given) !== before) throw new Error('plan() changed the state that it was given')
    this.state = state
    return effects.map(describe)
  }

  reload(request: number): string[] {
    return this.take({ type: 'reload', request })
  }

  oldFirst(request: number): string[] {
    return this.take({ type: 'reload-old-first', request })
  }

  tick(): string[] {
    return this.take({ type: 'tick' })
  }

  serving(id: number, generation: number): string[] {
    return this.take({ type: 'serving', id, role: 'worker', generation })
  }

  exited(generation: number, rest: Partial<Exit> = {}): string[] {
    const error = { name: 'Error', message: 'no database', stack: '' }
    const exit = { id: 99, role: 'worker', failed: true, failures: 1, served: false, timedOut: false, error } as const
    return this.take({ type: 'exited', generation, ...exit, ...rest })
  }

  /** A cluster of two workers that serve, of generation 1. */
  static serving(settings: Partial<PlanSettings> = {}, services: PlanState['services'] = []): Planned {
    const planned = new Planned(settings, services)
    planned.members = ['w g1 p1 serving', 'w g1 p2 serving']
    planned.serving(1, 1)
    return planned
  }

  /** The same with a reload, request 1, that has settled: its worker 3 serves, and the others are to follow. */
  static rolling(settings: Partial<PlanSettings> = {}, services: PlanState['services'] = []): Planned {
    const planned = Planned.serving({ settle: 0, ...settings }, services)
    planned.reload(1)
    planned.members = ['w g1 p1 serving', 'w g1 p2 serving', 'w g2 p1 serving']
    planned.serving(3, 2)
    return planned
  }

  desired(): Desired {
    return desiredOf(this.state, toMembers(this.members))
  }

  /** The slots as text, see `Row`: `w g2 x1`, `w g1 x2 +1`, `shell g1 x1`. */
  slots(): string[] {
    return this.desired().slots.map((slot) => {
      return `${whoIs(slot)} g${slot.generation} x${slot.count}${slot.spare ? ` +${slot.spare}` : ''}${moreOf(slot)}`
    })
  }
}

export const SETTINGS: PlanSettings = {
  workers: 2,
  spare: 0,
  surge: 1,
  settle: 1_000,
  canary: false,
  maxRetiring: 2,
  bootAttempts: 3,
  bootTimeout: 30_000,
  hangTimeout: 20_000,
  drainTimeout: 90_000,
  setupTimeout: 600_000,
  rollbackWindow: 60_000,
  rollbackShare: 0.5,
  fork: false,
  warmup: false,
  fallback: false,
  teardown: false
}

function describe(effect: Effect): string {
  switch (effect.do) {
    case 'prepare':
      return `prepare g${effect.generation} for ${effect.request}${effect.oldFirst ? ', old first' : ''}`
    case 'soaking':
      return `soaking g${effect.generation} by ${effect.first} for ${effect.rule.soak}`
    case 'judge':
      return `judge ${effect.first}`
    case 'soaked':
      return `soaked g${effect.generation}`
    case 'settled':
      return `settled g${effect.generation} by ${effect.first}`
    case 'done':
      return `done ${effect.request} g${effect.generation}`
    case 'failed':
      return `failed ${effect.request} g${effect.generation} ${effect.phase}${effect.timedOut ? ' timed out' : ''}: ${effect.error.message}`
    case 'superseded':
      return `superseded ${effect.request}`
    case 'refused':
      return effect.why === 'stopping' ? `refused ${effect.request}` : `refused ${effect.request}: ${effect.why}`
    case 'promote':
      return `promote ${effect.id} for g${effect.generation}`
    case 'roll-back':
      return `roll-back g${effect.from} to g${effect.to}${effect.because ? ` after ${effect.because.crashes} crashes` : ''}`
    case 'warm-up':
      return `warm-up g${effect.generation}`
    case 'mold-lost':
      return `mold-lost g${effect.generation}: ${effect.error.message}`
    case 'give-up':
      return `give-up${effect.setup ? ' setup' : ''}${effect.timedOut ? ' timed out' : ''}: ${effect.error.message}`
    case 'app-failed':
      return `app-failed g${effect.generation} ${effect.phase}: ${effect.error.message}`
    case 'primed':
      return `primed g${effect.generation}`
    case 'prime-failed':
      return `prime-failed g${effect.generation}: ${effect.error.message}`
    case 'look-again':
      return `look-again ${effect.at}`
  }
}
