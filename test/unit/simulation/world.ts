import { due } from '#core/cluster/health.js'
import {
  type Effect,
  initialPlan,
  type PlanEvent,
  type PlanSettings,
  type PlanState,
  plan
} from '#core/cluster/plan.js'
import { type Action, reconcile } from '#core/cluster/reconcile.js'
import { chooseEnd, type Member, type MemberSpec, Roster } from '#core/cluster/roster.js'
import { mayWantSetup } from '#core/cluster/setup.js'
import { desiredOf } from '#core/cluster/slots.js'
import { Agenda } from './agenda.js'
import { Checks } from './checks.js'
import { drawFate, drawTask, type Kind, type SetupKind } from './fates.js'
import { FakeProcess, type Receiver } from './process.js'

/** The code that a reload finds on disk: what is wrong with it, and how many workers its options ask for. */
export interface Code {
  kind: Kind
  workers?: number | undefined
  setup?: SetupKind | undefined
}

/** A cluster of fake processes in virtual time: drives plan, reconcile and roster as the supervisor does. */
export class World implements Receiver {
  readonly random: () => number
  readonly agenda = new Agenda()
  readonly roster = new Roster()
  readonly processes = new Map<number, FakeProcess>()
  /** The code of each generation. */
  readonly code = new Map<number, Code>()
  readonly #onDisk = new Map<number, Code>()
  readonly checks: Checks
  readonly trace: string[] | undefined
  state: PlanState
  /** While set, processes fail as their fates say and generations are as bad as they were made. */
  faults = true
  /** How many of the reloads are old-first, 0 to 1. */
  oldFirst = 0
  /** Whether bases are made. */
  primes = false
  /** Whether workers have a health check, and at which age they are recycled. */
  checked = false
  maxAge = 0
  /** Called for everything that listeners hear of, in the midst of its being carried out. */
  listener = () => {}
  readonly #events: PlanEvent[] = []
  #applying = false
  #requests = 0
  #primes = 0
  #served = false
  #dropTick = () => {}

  /** @param traced whether to keep a record of what happened, to be printed */
  constructor(
    random: () => number,
    settings: PlanSettings,
    services: PlanState['services'],
    setup: SetupKind | undefined,
    traced: boolean
  ) {
    this.random = random
    this.code.set(1, { kind: 'good', setup })
    // Who embeds Mapache knows it, who starts an entry does not.
    this.state = initialPlan(settings, services, setup !== undefined && random() < 0.5)
    this.trace = traced ? [] : undefined
    this.checks = new Checks(this)
  }

  get now(): number {
    return this.agenda.now
  }

  get stopped(): boolean {
    return this.state.stopping !== 'no' && this.roster.members.length === 0
  }

  reload(code: Code, canary?: PlanSettings['canary']): number {
    this.#onDisk.set(this.#requests + 1, code)
    return this.roll('reload', canary === undefined ? {} : { canary })
  }

  reloadOldFirst(code: Code): number {
    this.#onDisk.set(this.#requests + 1, code)
    return this.roll('reload-old-first')
  }

  /** Like Supervisor.prime. @param once a standby process, which becomes the worker itself */
  prime(code: Code, once: boolean): void {
    this.#primes -= 1
    this.code.set(this.#primes, code)
    this.apply({ type: 'prime', generation: this.#primes, ...(once ? { once } : {}) })
  }

  roll(
    type: 'reload' | 'reload-old-first' | 'refork' | 'rollback',
    more: { canary?: PlanSettings['canary'] } = {}
  ): number {
    this.#requests += 1
    const request = this.#requests
    this.checks.opened(request)
    this.apply({ type, request, ...more })
    return request
  }

  /** Like Supervisor.apply. */
  apply(event: PlanEvent): void {
    this.#events.push(event)
    if (this.#applying) return
    this.#applying = true
    for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#take(next)
    this.#applying = false
    this.checks.settled()
  }

  ready({ member, fate }: FakeProcess): void {
    member.seenAt = this.now
    if (member.state !== 'launching') return
    this.roster.ready(member, this.now)
    this.checks.ready(member)
    const { generation } = member
    if (member.role === 'mold' && fate.unclean && this.faults) {
      return this.apply({ type: 'mold-unclean', generation, fatal: false, error: error('unclean') })
    }
    this.apply({ type: 'ready', id: member.id, role: member.role, generation })
  }

  /** Like takeSetupWanted. */
  setupWanted({ member }: FakeProcess): void {
    if (member.state !== 'launching') return
    chooseEnd(member, 'unwanted')
    this.apply({ type: 'setup-wanted', generation: member.generation })
  }

  forwarding({ member }: FakeProcess): void {
    member.seenAt = this.now
    member.forwarding = true
    this.apply({ type: 'tick' })
  }

  serving({ member }: FakeProcess): void {
    member.seenAt = this.now
    if (member.state !== 'ready') return
    this.roster.serving(member, this.now)
    if (this.#isChecked(member)) member.unproved = true
    this.checks.gained()
    this.apply({ type: 'serving', id: member.id, role: member.role, generation: member.generation })
    if (member.role !== 'worker' || this.#served || this.state.stopping !== 'no') return
    this.#served = true
    this.apply({ type: 'settings', settings: {} })
  }

  #isChecked({ role, fallback }: Member): boolean {
    return this.checked && role === 'worker' && !fallback
  }

  /** Like takeHealth. */
  health({ member }: FakeProcess, told: boolean): void {
    const healthy = told || !this.faults
    if (!this.#isChecked(member) || member.state !== 'serving') return
    if (healthy) {
      delete member.unproved
      delete member.unhealthySince
      if (member.stale?.reason === 'unhealthy') delete member.stale
      this.apply({ type: 'tick' })
    } else {
      member.unhealthySince ??= this.now
      if (member.unproved) member.stale ??= { reason: 'unhealthy', urgent: false }
      this.apply({ type: 'unhealthy', id: member.id, error: error('unhealthy') })
    }
    this.look()
  }

  /** Like HealthWatch.look. */
  look(): void {
    if (this.state.stopping !== 'no' || this.state.roll || this.state.failure) return
    const workers = this.roster.members.filter(({ role, fallback }) => role === 'worker' && !fallback)
    const watched = workers.map((member) => ({ member, draw: (member.id % 10) / 10, requests: 0, memory: 0 }))
    const limits = { maxRequests: 0, maxAge: this.faults ? this.maxAge : 0, maxMemory: 0 }
    const found = due(watched, limits, this.state.settings.workers, this.now)
    const member = found && this.roster.get(found.id)
    if (!member) return
    this.checks.recycled(member)
    member.stale = { reason: found.because === 'unhealthy' ? 'unhealthy' : 'recycle', urgent: false }
    this.apply({ type: 'tick' })
  }

  /** No faults any more: whoever was unhealthy is well. */
  mend(): void {
    this.faults = false
    for (const process of [...this.processes.values()]) this.health(process, true)
  }

  leave({ member }: FakeProcess): void {
    if (member.state !== 'retiring') member.stale ??= { reason: 'signal', urgent: false }
    this.apply({ type: 'tick' })
  }

  left(process: FakeProcess): void {
    this.note(() => `  ${process.member.id} leaves of itself`)
    this.checks.lost()
  }

  /** Like takePromoted. */
  promoted(process: FakeProcess): void {
    const { member, fate } = process
    const { id, promotion: generation } = member
    if (member.state !== 'retiring' || generation === undefined) return
    if (fate.unclean && this.faults) {
      process.kill()
      return this.apply({ type: 'not-promoted', id, error: error('unclean') })
    }
    this.roster.promote(member, generation, this.now)
    this.apply({ type: 'promoted', id, generation })
  }

  /** A worker's vitals say that it does not listen any more. */
  deaf({ member }: FakeProcess): void {
    if (member.state !== 'serving' || member.stale) return
    member.stale = { reason: 'not-listening', urgent: true }
    this.checks.lost()
    this.apply({ type: 'tick' })
  }

  /** Like takeExit. */
  exited(process: FakeProcess, released?: true): void {
    const { member, unforked: excused } = process
    this.processes.delete(member.id)
    if (excused) chooseEnd(member, 'fork-failed')
    if (released) chooseEnd(member, 'released')
    if (process.task) chooseEnd(member, 'done')
    const { workers } = this.state.settings
    const { reason, failed } = this.roster.exited(member, this.now, BACKOFF, this.random(), workers)
    this.checks.lost()
    if (member.role === 'task') {
      const { name, generation } = member
      const outcome = failed ? 'failed' : process.task === 'done' ? 'done' : 'none'
      this.checks.taskEnded(member, outcome)
      const timedOut = reason === 'setup-timeout'
      return this.apply({ type: 'task-ended', name, generation, outcome, timedOut, error: error(reason) })
    }
    this.apply({
      type: 'exited',
      id: member.id,
      role: member.role,
      generation: member.generation,
      failed,
      failures: this.roster.place(member).failures,
      served: member.servingAt !== undefined,
      timedOut: reason === 'boot-timeout',
      excused: excused || reason === 'unwanted',
      ...(member.fallback ? { fallback: true } : {}),
      error: error(reason)
    })
    // What it was asked to fork and had not, it never will.
    for (const other of [...this.processes.values()]) if (other.mold === process) other.exit()
  }

  #take(event: PlanEvent): void {
    this.note(() => `${JSON.stringify(event)}`)
    this.#pulse()
    const { state, effects } = plan(this.state, event, this.roster.members, this.now)
    this.state = state
    this.checks.planned()
    let lookAgain = Number.POSITIVE_INFINITY
    for (const effect of effects) {
      this.note(() => `  effect ${JSON.stringify({ ...effect, error: undefined })}`)
      this.checks.effect(effect)
      this.listener()
      if (effect.do === 'look-again') lookAgain = Math.min(lookAgain, effect.at)
      else this.#events.unshift(...this.#carryOut(effect))
    }
    if (this.#events[0]?.type === 'generation-failed') return
    this.#converge(lookAgain)
  }

  note(text: () => string): void {
    this.trace?.push(`${this.now.toFixed(0).padStart(7)} ${text()}`)
  }

  /** What lives reports once a second. */
  #pulse(): void {
    for (const { member, blocked } of this.processes.values()) if (!blocked) member.seenAt = this.now
  }

  /** Like carryOut. */
  #carryOut(effect: Effect): PlanEvent[] {
    if (effect.do === 'promote') {
      const member = this.roster.get(effect.id) as Member
      member.stale = { reason: 'refork', urgent: false }
      member.promotion = effect.generation
      return []
    }
    if (effect.do === 'prepare' && effect.kind === 'refork') {
      this.checks.repeated(effect.from, effect.generation)
      this.code.set(effect.generation, this.code.get(effect.from) as Code)
      return []
    }
    if (effect.do === 'prepare') {
      const { generation } = effect
      const code = this.#onDisk.get(effect.request) as Code
      const failed = code.kind === 'unprepared' && this.faults
      // As `Generations.repeat` has it.
      this.code.set(generation, failed && effect.oldFirst ? (this.code.get(effect.from) as Code) : code)
      if (failed && effect.oldFirst) this.checks.repeated(effect.from, generation)
      return failed ? [{ type: 'generation-failed', generation, error: error('no entry') }] : []
    }
    if (effect.do === 'judge') {
      const bad = this.faults && this.state.roll && this.code.get(this.state.roll.to)?.kind === 'worse'
      return [{ type: 'judged', first: effect.first, ...(bad ? { bad: error('worse') } : {}) }]
    }
    if (effect.do === 'settled') {
      const { workers } = this.code.get(effect.generation) as Code
      return workers ? [{ type: 'settings', settings: { workers } }] : []
    }
    if (effect.do === 'give-up') this.agenda.add(this.now, () => this.apply({ type: 'stop', mode: 'now' }))
    return []
  }

  /** Like Supervisor.#converge. */
  #converge(lookAgain: number): void {
    let until = lookAgain
    let rounds = 0
    for (let acted = true; acted; rounds += 1) {
      acted = false
      until = lookAgain
      const desired = desiredOf(this.state, this.roster.members)
      for (const action of reconcile(desired, this.roster, this.now)) {
        if (action.do === 'wait') until = Math.min(until, action.until)
        else {
          this.note(() => `  ${JSON.stringify(action)}`)
          this.checks.action(action, desired)
          this.#perform(action)
          this.listener()
          acted = true
        }
      }
    }
    this.checks.converged(rounds, until)
    this.#dropTick()
    if (until !== Number.POSITIVE_INFINITY && !this.stopped) {
      this.#dropTick = this.agenda.add(Math.max(this.now + 1, until), () => this.apply({ type: 'tick' }))
    }
    const wanted = desiredOf(this.state, this.roster.members).slots
    this.roster.forgetGenerations(
      new Set([...wanted, ...this.roster.members].map(({ generation }) => generation).concat(this.state.current))
    )
  }

  /** Like perform. */
  #perform(action: Exclude<Action, { do: 'wait' }>): void {
    if (action.do === 'launch') return this.#launch(action.spec)
    const process = this.processes.get(action.id) as FakeProcess
    const { member } = process
    switch (action.do) {
      case 'activate':
        member.activatedAt = this.now
        return process.activate()
      case 'retire':
        if (action.forward) {
          member.forwardSince = this.now
          if (member.state !== 'retiring') this.roster.retire(member, action.reason, this.now)
          return process.forward()
        }
        this.roster.retire(member, action.reason, this.now)
        if (action.reason === 'refork' && member.promotion && this.state.stopping === 'no') return process.promote()
        return process.retire()
      case 'hurry':
        member.hurried = true
        return
      case 'kill':
        chooseEnd(member, action.reason)
        member.killed = true
        this.checks.lost()
        return process.kill()
    }
  }

  #launch(spec: MemberSpec): void {
    const member = this.roster.launch(spec, this.now)
    // What serves for the app is as good as it was made, whatever the app is.
    const kind = spec.fallback ? 'good' : (this.code.get(spec.generation) as Code).kind
    const { setup } = this.code.get(spec.generation) as Code
    const wantsSetup = !spec.fallback && setup !== undefined && mayWantSetup(this.state, spec.generation)
    const fate =
      spec.role === 'task'
        ? drawTask(this.random, setup, this.faults, this.state.settings.setupTimeout > 0)
        : { ...drawFate(this.random, kind, this.faults, this.state.settings), wantsSetup }
    const mold = spec.from === 'mold' ? this.#moldOf(spec.parent ?? spec.generation) : undefined
    this.processes.set(member.id, new FakeProcess(member, fate, this.agenda, this, this.random, mold))
    if (mold?.blocked || mold?.member.once) mold.member.askedAt ??= this.now
  }

  #moldOf(generation: number): FakeProcess | undefined {
    return [...this.processes.values()].find(
      ({ member }) =>
        member.role === 'mold' &&
        member.generation === generation &&
        !member.killed &&
        /ready|promoted/.test(member.state)
    )
  }
}

export const BACKOFF = { min: 100, max: 2_000 }
const error = (message: string) => ({ name: 'Error', message, stack: message })
