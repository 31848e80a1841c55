import { type Effect, initialPlan, type PlanEvent, type PlanState, plan } from '#core/cluster/plan.js'
import { type Action, reconcile } from '#core/cluster/reconcile.js'
import { chooseEnd, type Member, Roster } from '#core/cluster/roster.js'
import { desiredOf } from '#core/cluster/slots.js'

export const SETTINGS = {
  workers: 3,
  spare: 0,
  surge: 1,
  settle: 100,
  canary: false as const,
  maxRetiring: 2,
  bootAttempts: 3,
  bootTimeout: 1_000,
  hangTimeout: 5_000,
  drainTimeout: 2_000,
  setupTimeout: 0,
  rollbackWindow: 0,
  rollbackShare: 0.5,
  fork: false,
  warmup: false,
  fallback: false,
  teardown: false
}
export const BACKOFF = { min: 100, max: 1_000 }
const ERROR = { name: 'Error', message: 'boom', stack: 'Error: boom' }

/** What a launched process will do. Times in ms after the step before. */
export interface Fate {
  bootIn: number
  /** `ready`, or how it fails to get there. */
  boots: 'ready' | 'exits' | 'hangs'
  servesIn: number
  /** Crashes so long after it began to serve. */
  crashesIn?: number
  leavesIn: number
}

interface Timed {
  at: number
  order: number
  run: () => void
}

/**
 * A supervisor without processes: the real plan, reconcile and roster, driven as the supervisor drives them, with a clock
 * of its own and processes that do what their fate says.
 */
export class World {
  readonly roster = new Roster()
  readonly effects: Effect[] = []
  readonly actions: Action[] = []
  readonly outcomes = new Map<number, string>()
  state: PlanState
  now = 0
  gaveUp = false
  /** Called before each action is carried out. */
  check: (action: Action) => void = () => {}
  fate: (member: Member) => Fate = () => ({ bootIn: 10, boots: 'ready', servesIn: 1, leavesIn: 10 })
  #agenda: Timed[] = []
  #order = 0
  #wake: Timed | undefined
  #requests = 0

  constructor(settings: Partial<typeof SETTINGS> = {}, services: PlanState['services'] = [], fate?: World['fate']) {
    if (fate) this.fate = fate
    this.state = initialPlan({ ...SETTINGS, ...settings }, services)
    this.apply({ type: 'tick' })
  }

  get workers(): Member[] {
    return this.roster.members.filter(({ role }) => role === 'worker')
  }

  serving(generation?: number): Member[] {
    return this.workers.filter((one) => {
      return one.state === 'serving' && !one.killed && (generation === undefined || one.generation === generation)
    })
  }

  reload(): number {
    this.#requests += 1
    this.apply({ type: 'reload', request: this.#requests })
    return this.#requests
  }

  /** Lets time pass, with all that is due in it. */
  run(time: number): void {
    const end = this.now + time
    for (;;) {
      this.#agenda.sort((a, b) => a.at - b.at || a.order - b.order)
      const next = this.#agenda[0]
      if (!next || next.at > end) break
      this.#agenda.shift()
      this.now = Math.max(this.now, next.at)
      this.#signsOfLife()
      next.run()
    }
    this.now = end
    this.#signsOfLife()
  }

  #signsOfLife(): void {
    for (const member of this.roster.members) if (!this.frozen.has(member.id)) member.seenAt = this.now
  }

  /** Processes that give no sign of life. */
  readonly frozen = new Set<number>()

  apply(event: PlanEvent): void {
    const { state, effects } = plan(this.state, event, this.roster.members, this.now)
    this.state = state
    let lookAgain = Number.POSITIVE_INFINITY
    for (const effect of effects) {
      this.effects.push(effect)
      if (effect.do === 'look-again') lookAgain = Math.min(lookAgain, effect.at)
      if (effect.do === 'give-up') this.gaveUp = true
      if ('request' in effect && effect.do !== 'prepare') {
        if (this.outcomes.has(effect.request)) throw new Error(`request ${effect.request} has two outcomes`)
        this.outcomes.set(effect.request, effect.do)
      }
    }
    this.#converge(lookAgain)
  }

  /** Ends a process without being asked. */
  crash(member: Member): void {
    if (this.roster.get(member.id)) this.#exit(member)
  }

  stale(member: Member, urgent: boolean): void {
    member.stale ??= { reason: urgent ? 'not-listening' : 'signal', urgent }
    this.apply({ type: 'tick' })
  }

  #converge(lookAgain: number): void {
    let until = lookAgain
    for (let acted = true, turns = 0; acted; turns += 1) {
      if (turns > 100) throw new Error('reconcile asks for the same again and again')
      acted = false
      until = lookAgain
      for (const action of reconcile(desiredOf(this.state, this.roster.members), this.roster, this.now)) {
        if (action.do === 'wait') until = Math.min(until, action.until)
        else {
          acted = true
          this.actions.push(action)
          this.check(action)
          this.#perform(action)
        }
      }
    }
    if (this.#wake) this.#agenda.splice(this.#agenda.indexOf(this.#wake), 1)
    this.#wake = undefined
    if (until !== Number.POSITIVE_INFINITY) {
      this.#wake = this.#in(Math.max(1, until - this.now), () => {
        this.#wake = undefined
        this.apply({ type: 'tick' })
      })
    }
  }

  #perform(action: Exclude<Action, { do: 'wait' }>): void {
    if (action.do === 'launch') return this.#launch(this.roster.launch(action.spec, this.now))
    const member = this.roster.get(action.id)
    if (!member) throw new Error(`${action.do} of ${action.id}, which is gone`)
    switch (action.do) {
      case 'activate':
        member.activatedAt = this.now
        this.#in(this.fate(member).servesIn, () => this.#serve(member))
        return
      case 'retire':
        this.roster.retire(member, action.reason, this.now)
        this.#in(this.fate(member).leavesIn, () => this.crash(member))
        return
      case 'hurry':
        member.hurried = true
        return
      case 'kill':
        if (member.killed) throw new Error(`${action.id} is killed twice`)
        chooseEnd(member, action.reason)
        member.killed = true
        this.#in(1, () => this.crash(member))
    }
  }

  #launch(member: Member): void {
    const { boots, bootIn } = this.fate(member)
    if (boots === 'exits') this.#in(bootIn, () => this.crash(member))
    if (boots === 'ready') this.#in(bootIn, () => this.#ready(member))
  }

  #ready(member: Member): void {
    if (member.state !== 'launching' || member.killed || !this.roster.get(member.id)) return
    const { id, role, generation } = member
    this.roster.ready(member, this.now)
    this.apply({ type: 'ready', id, role, generation })
  }

  #serve(member: Member): void {
    if (member.state !== 'ready' || member.killed || !this.roster.get(member.id)) return
    const { id, role, generation } = member
    this.roster.serving(member, this.now)
    const { crashesIn } = this.fate(member)
    if (crashesIn !== undefined) this.#in(crashesIn, () => this.crash(member))
    this.apply({ type: 'serving', id, role, generation })
  }

  #exit(member: Member): void {
    const { id, role, generation } = member
    const served = member.servingAt !== undefined
    const { reason, failed } = this.roster.exited(member, this.now, BACKOFF, 0.5)
    const { failures } = this.roster.place(member)
    const timedOut = reason === 'boot-timeout'
    this.apply({ type: 'exited', id, role, generation, failed, failures, served, timedOut, error: ERROR })
  }

  #in(delay: number, run: () => void): Timed {
    this.#order += 1
    const timed = { at: this.now + delay, order: this.#order, run }
    this.#agenda.push(timed)
    return timed
  }
}
