import assert from 'node:assert/strict'
import type { Desired } from '#core/cluster/desired.js'
import type { Effect, PlanState } from '#core/cluster/plan.js'
import type { Action } from '#core/cluster/reconcile.js'
import type { Member } from '#core/cluster/roster.js'
import { isHeldBack } from '#core/cluster/setup.js'
import type { Kind } from './fates.js'
import { BACKOFF, type World } from './world.js'

/** What must hold in a world at every step. Each check throws an error that says what does not. */
export class Checks {
  readonly #world: World
  readonly #outcomes = new Map<number, string[]>()
  /** The request whose roll runs; 0 for one that began by itself. */
  #rolling: number | undefined
  #lastDone = 1
  /** Whether the roll that runs is one in which the old workers go first, and whether one was dropped for such a roll. */
  #oldFirst = false
  #dropped = false
  #primed = 0
  /** The canary that soaks, and the one that has. */
  #soaks: { first: number; until: number } | undefined
  #soaked: number | undefined
  /** So many workers serve at least, as long as none is lost that nobody chose to retire. */
  #floor = 0
  #idle = 0
  /** Generations whose set-up has ended well; tasks that were launched. */
  readonly #setUp = new Set<number>()
  readonly tasks = new Set<string>()
  /** When a worker of a generation was launched last. */
  readonly #launchedAt = new Map<number, number>()

  constructor(world: World) {
    this.#world = world
  }

  opened(request: number): void {
    this.#outcomes.set(request, [])
  }

  outcome(request: number): string | undefined {
    return this.#outcomes.get(request)?.[0]
  }

  get outcomes(): string[] {
    return [...this.#outcomes.values()].flat()
  }

  /** Every reload has had exactly one outcome. */
  answered(): void {
    for (const [request, outcomes] of this.#outcomes) assert.equal(outcomes.length, 1, `outcomes of reload ${request}`)
  }

  effect(effect: Effect): void {
    switch (effect.do) {
      case 'prepare':
        // Nobody is told of the end of one that began by itself.
        if (effect.oldFirst && this.#rolling === 0) this.#rolling = undefined
        assert.equal(this.#rolling, undefined, 'a roll begins while another runs')
        assert.ok(!this.#dropped || effect.oldFirst, 'a roll was dropped for one that waits')
        this.#rolling = effect.request
        this.#oldFirst = effect.oldFirst === true
        this.#dropped = false
        return
      case 'soaking':
        assert.equal(this.#world.roster.get(effect.first)?.state, 'serving', 'a canary that does not serve')
        this.#soaks = { first: effect.first, until: this.#world.now + effect.rule.soak }
        return
      case 'judge':
        assert.equal(effect.first, this.#soaks?.first, 'another worker is judged than the one that soaked')
        assert.ok(this.#world.now >= (this.#soaks?.until ?? 0), 'judged before it has soaked')
        return
      case 'soaked':
        this.#soaked = this.#soaks?.first
        return
      case 'settled':
        return this.#settled(effect)
      case 'roll-back':
        assert.equal(this.#rolling, undefined, 'a rollback begins while a roll runs')
        this.#oldFirst = false
        this.#rolling = this.#world.state.roll?.request ?? 0
        return
      case 'done':
        // A roll that was called back needs no other.
        if (effect.kind === 'rollback' && this.#rolling === undefined) return this.#end(effect.request, effect.do)
        assert.equal(effect.request, this.#rolling, 'another roll is done than the one that runs')
        this.#lastDone = effect.generation
        this.#rolling = undefined
        return this.#end(effect.request, effect.do)
      case 'failed':
        assert.equal(effect.request, this.#rolling, 'another roll failed than the one that runs')
        // Nothing is left that would serve on in its place.
        if (this.#oldFirst) this.#lastDone = effect.generation
        this.#rolling = undefined
        return this.#end(effect.request, effect.do)
      case 'superseded':
        if (effect.request === this.#rolling) {
          this.#dropped = true
          this.#rolling = undefined
        }
        return this.#end(effect.request, effect.do)
      case 'refused':
        if (effect.request === this.#rolling) this.#rolling = undefined
        return this.#end(effect.request, effect.do)
      case 'app-failed':
        assert.ok(this.#world.state.settings.fallback, 'the app is not started again, and there is no fallback')
        assert.equal(effect.generation, this.#world.state.current, 'another generation failed than the current one')
        assert.equal(this.#rolling, undefined, 'the app failed in the midst of a roll')
        return
      case 'primed':
        assert.ok(effect.generation < this.#primed, 'primed with an older base than before')
        this.#primed = effect.generation
        return
      case 'give-up':
        assert.equal(this.#world.state.everServed, false, 'given up though a worker served')
        assert.equal(this.#rolling, undefined, 'given up while a roll runs')
    }
  }

  /** After the plan took an event: fewer are wanted, or more, which does not make more serve. */
  planned(): void {
    const { state } = this.#world
    // Nobody is told of the end of a roll that nobody asked for.
    if (state.stopping !== 'no' && this.#rolling === 0) this.#rolling = undefined
    this.#floor = Math.min(this.#floor, this.#kept(state))
  }

  taskEnded({ name, generation }: Member, outcome: string): void {
    if (name === 'setup' && outcome !== 'failed') this.#setUp.add(generation)
  }

  /** A generation has the code of another, whose set-up is its own. */
  repeated(from: number, to: number): void {
    if (this.#setUp.has(from)) this.#setUp.add(to)
  }

  /** No code is at work whose set-up has not ended well. */
  ready({ role, generation, fallback }: Member): void {
    // That of an entry is known only when its worker comes to listen, and by then services may run.
    if (role === 'task' || role === 'service' || fallback || generation < 0) return
    const { setup } = this.#world.code.get(generation) ?? {}
    assert.ok(
      setup === undefined || this.#setUp.has(generation),
      `generation ${generation} is ready without its set-up`
    )
  }

  gained(): void {
    this.#floor = Math.min(this.#kept(this.#world.state), Math.max(this.#floor, this.#serving().length))
  }

  /** So many are not to be retired without others in their place. */
  #kept({ stopping, settings, roll, failure }: PlanState): number {
    const oldFirst = roll ? roll.oldFirst : failure
    if (stopping !== 'no' || oldFirst) return 0
    return failure ? 1 : settings.workers
  }

  /** A worker stopped serving, and nobody had chosen to retire it. */
  lost(): void {
    this.#floor = Math.min(this.#floor, this.#serving().length)
  }

  /** At the end of each event. */
  settled(): void {
    const { roster, processes, state } = this.#world
    const serving = this.#serving().length
    assert.ok(serving >= this.#floor, `${serving} workers serve of ${this.#floor}, and none was lost`)
    assert.deepEqual(
      [...processes.keys()],
      roster.members.map(({ id }) => id),
      'the roster is not what runs'
    )
    if (state.stopping === 'no') assert.equal(state.current, this.#lastDone, 'the current generation')
    assert.equal(state.roll && (state.roll.request ?? 0), this.#rolling, 'the roll of the plan')
  }

  /** After reconcile has nothing more to do. */
  converged(rounds: number, until: number): void {
    const { state, now, roster } = this.#world
    assert.ok(rounds < 10, `${rounds} rounds of reconcile`)
    this.#idle = until <= now ? this.#idle + 1 : 0
    assert.ok(this.#idle < 3, 'it looks again at once, time and again')
    if (state.roll?.phase !== 'rolling') return
    const { to } = state.roll
    const workers = roster.members.filter((member) => member.role === 'worker' && isPresent(member) && !member.killed)
    const complete =
      workers.every(({ generation }) => generation === to) &&
      this.#serving().filter(({ unproved }) => !unproved).length >= state.settings.workers
    assert.ok(!complete || until <= now, 'the roll is complete and nothing makes the plan notice it')
  }

  action(action: Exclude<Action, { do: 'wait' }>, desired: Desired): void {
    if (action.do === 'launch') return this.#launch(action, desired)
    const process = this.#world.processes.get(action.id)
    assert.ok(process, `${action.do} of ${action.id}, which is not there`)
    const { member } = process
    assert.equal(member.killed, false, `${action.do} of ${action.id}, which is killed`)
    if (action.do === 'activate') this.#activate(member, desired)
    else if (action.do === 'retire') this.#retire(member, desired)
    else if (action.do === 'kill') this.#kill(action, member, desired)
  }

  #launch({ spec }: Extract<Action, { do: 'launch' }>, desired: Desired): void {
    const { roster, now, code } = this.#world
    if (spec.role === 'task') this.#launchTask(spec, desired)
    else assert.equal(desired.stopping, 'no', 'launched while stopping')
    assert.ok(code.has(spec.generation), `generation ${spec.generation} was never prepared`)
    assert.ok(roster.place(spec, now).notBefore <= now, 'launched before the back-off is over')
    this.#inStorm(spec)
    const held = spec.role !== 'task' && !spec.fallback && isHeldBack(this.#world.state, spec.generation)
    assert.ok(!held, `launched of generation ${spec.generation} before its set-up has ended`)
    const present = roster.members.filter(isPresent)
    const same = present.filter((other) => !other.stale && sameSlot(other, spec) && other.place === spec.place)
    assert.equal(same.length, 0, `two in place ${spec.place}`)
    if (spec.from === 'mold') {
      const mold = roster.members.find((one) => isMoldOf(one, spec.parent ?? spec.generation))
      assert.ok(mold, 'forked from nothing')
      assert.ok(!mold.once || mold.askedAt === undefined, 'a standby is asked twice')
    }
    if (spec.role !== 'worker') return
    this.#launchAfterOld(spec)
    const spares = desired.slots.reduce((sum, { spare }) => sum + spare, 0)
    const workers = present.filter(({ role }) => role === 'worker').length
    assert.ok(workers < desired.capacity + desired.surge + spares, `${workers + 1} workers that are not retiring`)
  }

  #launchTask({ name, generation }: Extract<Action, { do: 'launch' }>['spec'], desired: Desired): void {
    const { state, roster } = this.#world
    const task = `${name} ${generation}`
    assert.ok(!this.tasks.has(task), `${task} is launched twice`)
    this.tasks.add(task)
    if (name === 'setup') return assert.equal(desired.stopping, 'no', 'set up while stopping')
    assert.equal(desired.stopping, 'graceful', 'torn down without a stop')
    assert.deepEqual(roster.members, [], 'torn down while something runs')
    assert.ok(state.everServed, 'torn down what has not served')
  }

  /** One at a time; and none waits longer than the back-off has it. */
  #inStorm(spec: Extract<Action, { do: 'launch' }>['spec']): void {
    const { roster, now } = this.#world
    if (spec.role !== 'worker' || spec.fallback) return
    const { spacedUntil = 0 } = roster.place(spec, now)
    const before = this.#launchedAt.get(spec.generation) ?? Number.NEGATIVE_INFINITY
    assert.ok(spacedUntil <= now || before + BACKOFF.min / 2 <= now, 'two are launched at once in a storm')
    const booting = roster.members.filter(
      (one) => sameSlot(one, spec) && one.state === 'launching' && !one.stale && !one.killed
    )
    assert.ok(spacedUntil <= now || booting.length === 0, 'one is launched in a storm while another boots')
    this.#launchedAt.set(spec.generation, now)
  }

  /** A worker is to be replaced for its health or age. */
  recycled({ id }: Member): void {
    const { roster, state } = this.#world
    const workers = roster.members.filter(
      ({ role, state, killed }) => role === 'worker' && /serving|ready/.test(state) && !killed
    )
    assert.deepEqual(
      workers.filter(({ stale }) => stale).map((member) => member.id),
      [],
      `${id} is recycled while another is being replaced`
    )
    assert.equal(state.roll, undefined, 'recycled in a roll')
  }

  /** Where the old ones go first none of them answers when a new one is launched. */
  #launchAfterOld({ generation, fallback }: Member | Extract<Action, { do: 'launch' }>['spec']): void {
    const { state, processes } = this.#world
    assert.ok(!fallback || state.failure?.generation === generation, 'a fallback for an app that has not failed')
    assert.ok(fallback || state.failure?.generation !== generation, 'an app that has failed is started again')
    assert.ok(!fallback || state.everServed, 'a fallback that has no address')
    if (!(state.roll ? state.roll.oldFirst : state.failure)) return
    const answering = [...processes.values()].filter(({ member, answers }) => {
      return answers && member.role === 'worker' && (member.generation !== generation || member.fallback !== fallback)
    })
    assert.deepEqual(
      answering.map(({ member }) => member.id),
      [],
      'launched while old workers answer'
    )
  }

  #activate(member: Member, desired: Desired): void {
    assert.equal(member.state, 'ready')
    const slot = desired.slots.find((one) => sameSlot(one, member) && one.generation === member.generation)
    assert.equal(slot?.fallback, member.fallback)
    const active = this.#world.roster.members.filter((other) => {
      if (other.activatedAt === undefined) return false
      // Of what runs alone each counts until it has ended, of whichever generation.
      if (slot?.alone) return other.role === member.role && other.name === member.name
      return sameSlot(other, member) && isPresent(other) && !other.stale && !other.killed
    })
    assert.ok(slot && active.length < slot.count, 'more are activated than shall serve')
  }

  #retire(member: Member, desired: Desired): void {
    const { roster, processes } = this.#world
    const stopping = desired.stopping !== 'no'
    if (member.role === 'worker' && stopping) {
      const unheard = roster.members.filter(({ role, state }) => role === 'worker' && /launching|ready/.test(state))
      assert.equal(unheard.length, 0, 'retired in a stop while another holds the socket and does not accept')
    }
    if (member.role === 'service' && stopping && !member.stale) {
      const workers = roster.members.filter(({ role }) => role === 'worker')
      assert.equal(workers.length, 0, 'a service leaves before the workers')
    }
    if (desired.oldFirst && member.role === 'worker') return
    const voluntary = member.state === 'serving' && !member.stale?.urgent && !processes.get(member.id)?.leaving
    if (stopping || !voluntary) return
    const others = this.#serving(member.role, member.name).filter((other) => other !== member)
    // Of those asked to leave, which have begun to do so of themselves by now is not known.
    const leaving = [...processes.values()].filter((other) => other.leaving && other.member.state === 'serving')
    const unknown = member.stale ? leaving.length : 0
    if (unknown > 0) this.#floor = Math.min(this.#floor, others.length)
    const slot = desired.slots.find((slot) => slot.role === 'service' && slot.name === member.name)
    const least = member.role === 'worker' ? desired.capacity : (slot?.count ?? 0)
    const proven = others.filter(({ unproved }) => !unproved).length
    if (member.role === 'worker' && !member.unproved) {
      assert.ok(proven + unknown >= least, `${member.id} retires for ${others.length}, of whom ${proven} are healthy`)
    }
    const beginning = slot?.alone ? this.#beginning(member, slot.generation) : 0
    assert.ok(
      others.length + beginning + unknown >= least,
      `${member.id} retires and leaves ${others.length} of ${least}`
    )
  }

  /** Of a service that runs alone: the successors that are ready to begin, or do so. */
  #beginning({ role, name }: Member, generation: number): number {
    const ready = this.#world.roster.members.filter(({ state, stale }) => state === 'ready' && !stale)
    return ready.filter((one) => one.role === role && one.name === name && one.generation === generation).length
  }

  #kill({ reason }: Extract<Action, { do: 'kill' }>, member: Member, desired: Desired): void {
    const { now, processes } = this.#world
    const age = now - (member.activatedAt ?? member.since)
    const silent = member.forwardSince !== undefined && !member.forwarding && now - member.forwardSince >= 3_000
    if (reason === 'hung') assert.ok(silent || processes.get(member.id)?.blocked, 'killed as hung and was not')
    if (reason === 'boot-timeout') assert.ok(age >= desired.bootTimeout, `boot-timeout after ${age} ms`)
    if (reason === 'drain-timeout' && member.role !== 'mold')
      assert.ok(age >= desired.drainTimeout, `drain-timeout after ${age} ms`)
    if (reason === 'setup-timeout') assert.ok(now - member.launchedAt >= desired.setupTimeout, 'a task was cut short')
    if (reason === 'stop-now') assert.equal(desired.stopping, 'now')
  }

  #settled({ first, generation }: Extract<Effect, { do: 'settled' }>): void {
    const { faults, code, roster, processes, state } = this.#world
    const kind = code.get(generation)?.kind ?? 'good'
    const dies = kind === 'dies-in-settle' && state.settings.settle > 0 && !this.#oldFirst
    // Done at once, another may have begun.
    const soaked = state.roll?.to === generation && state.roll.canary !== undefined
    const worse = kind === 'worse' && soaked
    const bad = faults && (UNSETTLED.has(kind) || dies || worse)
    const sick = faults && kind === 'never-healthy' && this.#world.checked && !this.#oldFirst
    assert.ok(!sick, 'a generation settled that was never healthy')
    assert.ok(!bad, `a generation that is ${kind} settled`)
    if (soaked) assert.equal(first, this.#soaked, 'settled without having soaked')
    const member = roster.get(first ?? 0)
    if (this.#oldFirst) return assert.equal(member?.state, 'serving', 'the first worker does not serve')
    assert.equal(member?.state, 'serving', 'the first worker does not serve at the end of settle')
    assert.ok(!member?.killed && !member?.stale && !processes.get(first ?? 0)?.leaving, 'the first worker is leaving')
  }

  #end(request: number, outcome: string): void {
    this.#outcomes.get(request)?.push(outcome)
  }

  /** Those that answer requests, as far as the supervisor can know. */
  #serving(role = 'worker', name = ''): Member[] {
    const { roster, processes } = this.#world
    return roster.members.filter(
      (member) =>
        member.role === role &&
        member.name === name &&
        member.state === 'serving' &&
        !member.stale?.urgent &&
        !member.killed &&
        !processes.get(member.id)?.leaving
    )
  }
}

function sameSlot(a: Pick<Member, 'role' | 'name' | 'generation' | 'fallback'>, b: typeof a): boolean {
  return a.role === b.role && a.name === b.name && a.generation === b.generation && a.fallback === b.fallback
}

function isPresent({ state }: Member): boolean {
  return state === 'launching' || state === 'ready' || state === 'serving' || state === 'promoted'
}

function isMoldOf({ role, generation, state, killed }: Member, wanted: number): boolean {
  return role === 'mold' && generation === wanted && !killed && (state === 'ready' || state === 'promoted')
}

const UNSETTLED: ReadonlySet<Kind> = new Set<Kind>(['unprepared', 'no-boot', 'never-ready', 'never-serves'])
