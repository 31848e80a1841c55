import { EventEmitter } from 'node:events'
import { formatAddress } from '../address.js'
import type { WantedAddress } from '../channel/messages.js'
import { ChannelServer } from '../channel/server.js'
import { Crashes } from '../cluster/crashes.js'
import { initialPlan, type PlanEvent, type PlanState, plan } from '../cluster/plan.js'
import { reconcile } from '../cluster/reconcile.js'
import { type Member, Roster } from '../cluster/roster.js'
import { desiredOf } from '../cluster/slots.js'
import type {
  BoundAddress,
  Cluster,
  ClusterEvents,
  ClusterStatus,
  ProcessInfo,
  ReloadOptions,
  ReloadResult
} from '../cluster.js'
import { defer } from '../deferred.js'
import { MapacheError } from '../errors.js'
import { identity, type Logger } from '../log.js'
import { LONGEST_TIMER } from '../longest-timer.js'
import type { ResolvedModules } from '../modules.js'
import { checkWorkers, type ReportedOptions, type Settings } from '../options.js'
import { plannedServices } from '../services.js'
import { Canary, canaryOf } from './canary.js'
import { AwakeClock, HEARTBEAT } from './clock.js'
import { Diagnoses } from './diagnoses.js'
import { carryOut } from './effects.js'
import type { EntrySource } from './entry.js'
import { announce } from './events.js'
import { takeExit } from './exits.js'
import type { ChannelFolder } from './folder.js'
import { Followers } from './followers.js'
import { Generations } from './generations.js'
import { HealthWatch } from './health.js'
import type { ExitStatus, Launcher, Output } from './launch/launcher.js'
import type { MoldLauncher } from './launch/mold.js'
import { type Listener, type Listeners, removeSocketFiles } from './listeners.js'
import { type LogLine, LogTail } from './log-tail.js'
import { takeHello, takeMessage } from './messages.js'
import { OptionsInForce } from './options-in-force.js'
import { perform } from './perform.js'
import { Primes } from './primes.js'
import { type Peer, Processes } from './processes.js'
import { Recycles, recycle } from './recycle.js'
import { Requests } from './requests.js'
import { Scaling } from './scaling.js'
import { ServiceListeners } from './service-listeners.js'
import { statusOf } from './status.js'
import { TicketKeys } from './tickets.js'

/** What a supervisor is made of; see `start.ts`. */
export interface SupervisorParts {
  name: string
  source: EntrySource
  settings: Settings
  modules: ResolvedModules
  folder: ChannelFolder
  listeners: Listeners
  launcher: Launcher
  /** Where workers can be forked. */
  molds?: MoldLauncher
  log: Logger
  /** Whether workers of a dead supervisor are still leaving, who may hold an address. */
  leaving: () => boolean
  /** The environment that workers start from. */
  env: NodeJS.ProcessEnv
  /** Gets what workers print, in place of this process's own streams. */
  output?: Output
  /** Options given from outside the app's code, which a reload does not change. */
  fixed: ReportedOptions
}

/**
 * Owns the sockets, decides, logs; runs no request and builds no app. All it does to processes follows from `plan` and
 * `reconcile`: events go in through `apply`, the actions that come out are carried out by `perform`.
 */
export class Supervisor extends EventEmitter<ClusterEvents> implements Cluster {
  readonly role = 'supervisor'
  readonly parts: SupervisorParts
  readonly clock = new AwakeClock()
  readonly roster = new Roster()
  readonly requests = new Requests()
  readonly primes = new Primes()
  readonly followers = new Followers()
  readonly recycles = new Recycles()
  readonly canary = new Canary(this)
  readonly health = new HealthWatch()
  readonly crashes = new Crashes()
  readonly diagnoses = new Diagnoses()
  readonly serviceListeners = new ServiceListeners()
  readonly scaling: Scaling
  readonly log: Logger
  readonly #tail = new LogTail((line) => announce(this, 'log', line))
  readonly processes: Processes
  readonly channel: ChannelServer<Peer>
  readonly tickets = new TicketKeys((ticketKeys) => this.processes.broadcast({ type: 'ticket-keys', ticketKeys }))
  readonly generations: Generations
  readonly #started = defer<void>()
  readonly #stopped = defer<void>()
  readonly #heartbeat: NodeJS.Timeout
  readonly #options: OptionsInForce
  #plan: PlanState
  #timer: NodeJS.Timeout | undefined
  #addresses: readonly BoundAddress[] | undefined
  #removeFiles = () => {}
  /** Addresses that a worker came to listen on when it served already, with its generation: the next may do so, too. */
  readonly openedLate = new Map<string, number>()
  /** The generation that served when unused addresses were closed last. */
  #releasedAt = 1
  #applying = false
  readonly #events: PlanEvent[] = []
  /** The stack of the last failure that was logged whole. */
  lastFailure = ''
  /** What the process is to end with after a stop: 1 when the teardown failed. */
  exitCode: 0 | 1 = 0
  /** How often the code that serves was reforked by itself. */
  reforks = 0

  constructor(parts: SupervisorParts) {
    super()
    this.parts = parts
    this.log = this.#tail.of(parts.log)
    this.#options = new OptionsInForce(parts)
    this.scaling = new Scaling(this, this.#options)
    this.generations = new Generations(parts.source, parts.env)
    this.processes = new Processes(parts.launcher, parts.molds, this.roster)
    const hasSetup = parts.settings.setup !== undefined
    this.#plan = initialPlan(this.#options.planned, plannedServices(parts.modules.services), hasSetup)
    this.channel = new ChannelServer<Peer>({
      admit: (token) => this.processes.admit(token),
      hello: (connection) => takeHello(this, connection),
      message: (connection, message) => takeMessage(this, connection, message),
      refused: ({ admission }, reason, fatal) => {
        const who = admission?.peer ? identity(admission.peer.member) : (admission?.role ?? 'a stranger')
        this.log.warn(`MAPACHE_CHANNEL_REFUSED: a message of ${who}: ${reason}${fatal ? '; connection closed' : ''}`)
      },
      closed: (connection) => this.followers.remove(connection)
    })
    this.#heartbeat = setInterval(() => this.clock.now(), HEARTBEAT)
  }

  get settings(): Settings {
    return this.#options.settings
  }

  get generation(): number {
    return this.#plan.current
  }

  /** What the plan remembers. */
  get plan(): Readonly<PlanState> {
    return this.#plan
  }

  /** Whether the workers of the generation that serves are forked. */
  get forked(): boolean {
    return this.#plan.molded.includes(this.generation)
  }

  get stopping(): boolean {
    return this.#plan.stopping !== 'no'
  }

  get addresses(): readonly BoundAddress[] {
    return this.stopping ? (this.#addresses ?? []) : this.parts.listeners.addresses
  }

  get workers(): ProcessInfo[] {
    const workers = this.processes.all.filter(({ member }) => member.role === 'worker')
    return workers.map((peer) => this.processes.info(peer, this.clock.now()))
  }

  /**
   * Boots generation 1.
   * @returns when its first worker serves
   * @throws MAPACHE_SETUP_FAILED, MAPACHE_BOOT_FAILED, MAPACHE_BOOT_TIMEOUT, MAPACHE_SUPERVISOR_STOPPED
   */
  async start(): Promise<void> {
    this.generations.pin(1, this.settings.envFile)
    announce(this, 'start', { generation: 1 })
    this.apply({ type: 'tick' })
    await this.#started.promise
  }

  async reload(options: ReloadOptions = {}): Promise<ReloadResult> {
    const canary = canaryOf(options, this.settings.canary)
    if (options.oldFirst) return this.#roll({ type: 'reload-old-first' })
    return this.#roll({ type: 'reload', ...(canary === undefined ? {} : { canary }) })
  }

  async prime(modules: readonly string[], wanted: 'auto' | 'standby' = 'auto'): Promise<{ how: 'fork' | 'standby' }> {
    if (this.stopping) throw new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
    const { generation, held, ready } = this.primes.open()
    const how = this.parts.molds && wanted === 'auto' ? 'fork' : 'standby'
    this.generations.base(generation, this.generation, { modules, how })
    this.generations.base(held, this.generation, { modules: [], how: 'standby' })
    this.apply({ type: 'prime', generation, ...(how === 'fork' ? { held } : { once: true }) })
    await ready
    return { how }
  }

  refork(): Promise<ReloadResult> {
    return this.#roll({ type: 'refork' })
  }

  rollback(): Promise<ReloadResult> {
    return this.#roll({ type: 'rollback' })
  }

  async #roll(event: WithoutRequest<PlanEvent>): Promise<ReloadResult> {
    const { request, result } = this.requests.open(this.clock.now())
    this.apply({ ...event, request } as PlanEvent)
    return result
  }

  async scale(workers: number | 'auto'): Promise<void> {
    const checked = checkWorkers(workers)
    if (this.stopping) throw new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
    this.scaling.ask(checked)
  }

  recycle(id: number): Promise<void> {
    return recycle(this, id)
  }

  async revive(): Promise<number> {
    if (this.stopping) throw new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
    const places = this.roster.revive(this.clock.now())
    this.apply({ type: 'tick' })
    return places
  }

  async tail(lines = 100): Promise<LogLine[]> {
    return this.#tail.last(lines)
  }

  async stop(mode: 'graceful' | 'now' = 'graceful'): Promise<void> {
    const { stopping } = this.#plan
    if (stopping === 'no') this.#letGo()
    if (stopping === 'no' || (mode === 'now' && stopping === 'graceful')) {
      this.log.info(mode === 'now' ? 'stopping now' : 'stopping: finishing what was accepted')
      announce(this, 'stop', { mode })
      this.recycles.stop()
      this.scaling.stop()
      if (mode === 'now') this.diagnoses.stop()
      this.apply({ type: 'stop', mode })
    }
    return this.#stopped.promise
  }

  async status(): Promise<ClusterStatus> {
    return statusOf(this)
  }

  /** Lets the plan take an event into account, and carries out what follows. */
  apply(event: PlanEvent): void {
    this.#events.push(event)
    // A listener of an event may lead back here, while what it heard of is being carried out: its turn comes after.
    if (this.#applying) return
    this.#applying = true
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#take(next)
    } finally {
      this.#applying = false
    }
  }

  #take(event: PlanEvent): void {
    const now = this.clock.now()
    const { state, effects } = plan(this.#plan, event, this.roster.members, now)
    this.#plan = state
    let lookAgain = Number.POSITIVE_INFINITY
    for (const effect of effects) {
      if (effect.do === 'look-again') lookAgain = Math.min(lookAgain, effect.at)
      else {
        const next = carryOut(this, effect, now)
        if (next) this.#events.unshift(next)
      }
    }
    this.canary.follow()
    // A generation that could not be prepared must be out of the plan before anything is launched of it.
    if (this.#events[0]?.type === 'generation-failed') return
    this.#converge(lookAgain)
  }

  exited(peer: Peer, status: ExitStatus): void {
    takeExit(this, peer, status)
  }

  /** Takes note of a worker that serves; the first one of all opens the cluster. */
  served({ member }: Peer): void {
    const { id, role, generation, name } = member
    this.apply({ type: 'serving', id, role, generation })
    if (role === 'service') this.releaseUnusedOf(name)
    if (role !== 'worker' || this.#addresses || this.stopping) return
    this.#addresses = this.addresses
    this.log.info(`serving on ${this.addresses.map(formatAddress).join(', ')}`)
    announce(this, 'listening', { addresses: this.addresses })
    this.#started.resolve()
    this.scaling.refresh()
    const adopted = this.adopt(id)
    if (adopted) this.apply(adopted)
  }

  /** Takes over the options that a worker reported. @returns the event that tells the plan */
  adopt(id: number): PlanEvent | undefined {
    const { options, ...brings } = this.processes.get(id) ?? {}
    if (!this.#options.adopt(options, brings)) return undefined
    this.scaling.refresh()
    return { type: 'settings', settings: this.#options.planned }
  }

  /** Binds an address that a worker or a service asks for, and notes it for those who find the cluster's folder later. */
  async bind(wanted: WantedAddress, { role, name }: Pick<Member, 'role' | 'name'>): Promise<Listener> {
    const listeners = role === 'service' ? this.serviceListeners.of(name) : this.parts.listeners
    const listener = await listeners.bind(wanted, this.parts.leaving)
    this.#noteSockets()
    return listener
  }

  #noteSockets(): void {
    this.parts.folder.noteSockets([...this.parts.listeners.sockets, ...this.serviceListeners.sockets])
  }

  /** Closes the addresses that new code does not listen on any more: nobody would answer there. */
  releaseUnused(): void {
    const { listeners } = this.parts
    const serving = this.processes.all.filter(({ member }) => member.state === 'serving')
    const used = new Set(serving.flatMap(({ addresses }) => addresses.map(formatAddress)))
    const before = this.#releasedAt
    this.#releasedAt = this.generation
    const unused = listeners.all.filter(({ key, address }) => {
      return !used.has(formatAddress(address)) && (this.openedLate.get(key) ?? 0) < before
    })
    for (const { key } of unused) listeners.release(key)
    if (unused.length === 0) return
    this.#renewHeld()
    this.#noteSockets()
    const left = unused.map(({ address }) => formatAddress(address)).join(', ')
    this.log.warn(`no longer listening on ${left}; serving on ${this.addresses.map(formatAddress).join(', ')}`)
  }

  /** A worker that does not listen yet was launched with what is closed now, and would keep it open: another takes its place. */
  #renewHeld(): void {
    for (const member of this.roster.members) {
      const { role, state } = member
      if (role !== 'worker' || (state !== 'launching' && state !== 'ready')) continue
      member.stale ??= { reason: 'reload', urgent: true }
    }
    this.apply({ type: 'tick' })
  }

  /** The same for a service, once all that is left of it is of one generation and serves. */
  releaseUnusedOf(service: string): void {
    const peers = this.processes.all.filter(({ member }) => member.role === 'service' && member.name === service)
    const [first] = peers
    const settled = peers.every(({ member }) => {
      return member.state === 'serving' && member.generation === first?.member.generation
    })
    if (!first || !settled || this.stopping) return
    const used = peers.flatMap(({ addresses }) => addresses)
    if (this.serviceListeners.releaseUnused(service, used)) this.#noteSockets()
  }

  /** The teardown failed: whoever waits for the end of this process is told so. */
  endBadly(): void {
    this.exitCode = 1
    process.exitCode ??= 1
  }

  /** Gives up a start: nothing has ever been ready. */
  abandon(error: MapacheError): void {
    this.#started.reject(error)
    // Once the plan's own step has returned.
    queueMicrotask(() => this.stop('now'))
  }

  #converge(lookAgain: number): void {
    let until = lookAgain
    for (let acted = true; acted; ) {
      const now = this.clock.now()
      acted = false
      until = lookAgain
      for (const action of reconcile(desiredOf(this.#plan, this.roster.members), this.roster, now)) {
        if (action.do === 'wait') until = Math.min(until, action.until)
        else {
          perform(this, action, now)
          acted = true
        }
      }
    }
    clearTimeout(this.#timer)
    if (this.stopping && this.roster.members.length === 0) this.#finish()
    else if (until !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(
        () => this.apply({ type: 'tick' }),
        Math.min(LONGEST_TIMER, Math.max(1, until - this.clock.now()))
      )
    }
    this.#forget()
  }

  /** Forgets generations that neither run nor are wanted. */
  #forget(): void {
    const wanted = desiredOf(this.#plan, this.roster.members).slots.map(({ generation }) => generation)
    // While a worker leaves to become the mold of the next, nothing of that generation is there yet.
    const next = this.#plan.roll?.to ?? this.generation
    const { pending } = this.primes
    const keep = new Set([
      ...wanted,
      ...pending,
      this.generation,
      next,
      ...this.roster.members.map(({ generation }) => generation)
    ])
    this.generations.keep(keep)
    this.roster.forgetGenerations(keep)
  }

  /**
   * Closes the supervisor's descriptors before the workers hear of the stop: the last worker to close the socket then
   * answers what was queued on it, and nothing can be queued after it that nobody would answer.
   */
  #letGo(): void {
    this.#addresses = this.addresses
    const closed = this.parts.listeners.closeDescriptors()
    this.#removeFiles = () => removeSocketFiles(closed)
  }

  #finish(): void {
    clearInterval(this.#heartbeat)
    this.tickets.close()
    this.primes.close()
    this.parts.molds?.close()
    this.parts.folder.remove()
    this.#removeFiles()
    removeSocketFiles(this.serviceListeners.close())
    this.#started.reject(new MapacheError('MAPACHE_SUPERVISOR_STOPPED', 'the cluster was stopped before it served'))
    this.log.info('stopped')
    announce(this, 'stopped')
    // Operators hear of the end ahead of it.
    this.channel.close()
    this.#stopped.resolve()
  }
}

type WithoutRequest<Event> = Event extends { request: number } ? Omit<Event, 'request'> : never
