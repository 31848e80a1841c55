import { formatAddress } from '../address.js'
import { ChannelClient } from '../channel/client.js'
import {
  type BoundAddress,
  type Downward,
  type DrainedData,
  PROTOCOL_VERSION,
  type Upward
} from '../channel/messages.js'
import { type Deferred, defer } from '../deferred.js'
import { errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import type { ReportedOptions } from '../options.js'
import { markPresence, stackPath } from '../supervisor/folder.js'
import type { LaunchInfo } from '../supervisor/launch/launcher.js'
import { importNative, type Native } from '../supervisor/launch/native.js'
import { takeSignals } from '../supervisor/signals.js'
import { Answers } from './answers.js'
import type { Connections } from './connections.js'
import { freeDebugPort } from './debug-port.js'
import { Drain, type DrainOptions } from './drain.js'
import { serveFallback } from './fallback.js'
import { finish, orphaned, runAppSignalHandlers } from './finish.js'
import { Handle } from './handle.js'
import { HealthChecks } from './health.js'
import { SharedListening } from './listen.js'
import { Memory } from './memory.js'
import { Mold } from './mold.js'
import { type Brings, RUNTIME_VERSION, type Runtime, registerRuntime } from './registry.js'
import { shareSessions } from './sessions.js'
import { Standby } from './standby.js'
import { finish as finishTask } from './task.js'
import { Vitals } from './vitals.js'
import type { Waiting } from './waiting.js'

/**
 * Makes this process a worker, a service or a mold: connects to the supervisor, then takes over signals, errors and
 * `listen`, all before the app's first line runs.
 */
export async function startWorker(launch: LaunchInfo): Promise<void> {
  if (launch.protocol !== PROTOCOL_VERSION) {
    const text = `the supervisor speaks version ${launch.protocol}, this worker ${PROTOCOL_VERSION}`
    throw new MapacheError('MAPACHE_CHANNEL_VERSION', text)
  }
  const native = launch.native === undefined ? undefined : await importNative(launch.native)
  const runtime = new WorkerRuntime(launch, native)
  // Ahead of everything else: what V8 gives to its own threads is lost to a fork.
  if (launch.role === 'mold') native?.prepare()
  await runtime.attach(launch)
  runtime.install()
  registerRuntime(runtime)
  await runtime.mold?.begin(launch)
  // A base waits ahead of the main script, which its children run.
  if (launch.base) await runtime.pass()
  await runtime.enter()
}

type Welcome = Extract<Downward, { type: 'welcome' }>

/** The runtime of one process. In a mold it is forked with the rest, and attached to the supervisor anew in each child. */
export class WorkerRuntime implements Runtime {
  readonly version = RUNTIME_VERSION
  readonly handle = new Handle()
  /** Of a mold, and of a worker that came from one. */
  mold: Waiting | undefined
  readonly #native: Native | undefined
  readonly #listening: SharedListening
  #launch: LaunchInfo
  #channel!: ChannelClient
  #drain = new Drain()
  #vitals: Vitals | undefined
  #answers: Answers | undefined
  #served = new Map<string, { connections: Connections; address: BoundAddress }>()
  #activation: Deferred<void> = defer()
  /** Of a task: the supervisor has read its last message, or is gone. */
  readonly #heard: Deferred<void> = defer()
  #limits!: DrainOptions
  #ticketKeys!: string
  #options: ReportedOptions | undefined
  #close: () => unknown = () => {}
  #brings: Brings = {}
  #managed = false
  #state: 'booting' | 'ready' | 'serving' | 'retiring' = 'booting'
  #opening = 0
  #appSignals = () => {}
  #pulsing: NodeJS.Timeout | undefined
  #every = 0
  #leaveFolder = () => {}
  #unguard = () => {}
  #memory = new Memory()
  readonly #health = new HealthChecks((healthy, error) => {
    this.#channel.send({ type: 'health', healthy, ...(error ? { error } : {}) })
  })
  readonly #takeEvent: ((event: string, data: unknown) => void)[] = []

  constructor(launch: LaunchInfo, native: Native | undefined) {
    this.#launch = launch
    this.#native = native
    if (launch.role === 'mold') {
      this.mold = native ? new Mold(this, native, launch.descriptors as number) : new Standby(this)
    }
    this.#listening = new SharedListening({
      passed: () => this.pass(),
      alone: () => this.#launch.warm === true,
      activated: () => this.activated(),
      opening: (connections) => this.#open(connections),
      failed: () => {
        this.#opening -= 1
      },
      opened: (connections, key, address) => this.#opened(connections, key, address)
    })
  }

  get role(): 'worker' | 'service' | 'task' {
    const { role } = this.#launch
    return role === 'mold' ? 'worker' : role
  }

  get cluster(): string {
    return this.#launch.cluster
  }

  get lock(): string {
    return this.#launch.lock ?? ''
  }

  get name(): string {
    return this.#launch.name
  }

  get module(): LaunchInfo['module'] {
    return this.#launch.module
  }

  get addresses(): readonly BoundAddress[] {
    return [...this.#served.values()].map(({ address }) => address)
  }

  /** What is done once, whatever becomes of the process. */
  install(): void {
    freeDebugPort()
    // Only without a supervisor: while it lives, it clears up after its workers itself.
    process.on('exit', () => process.ppid !== this.#launch.supervisor && this.#leaveFolder())
    const ignore = () => {}
    this.#appSignals = takeSignals({ SIGTERM: () => this.#leave(), SIGINT: ignore, SIGHUP: ignore, SIGUSR2: ignore })
    process.on('uncaughtExceptionMonitor', (error) => this.#failed(error))
    this.#listening.install()
  }

  /**
   * Connects to the supervisor as the process that the launch describes.
   * @param receive takes the next descriptor that the supervisor sends; without it handles come by Node's IPC
   */
  async attach(launch: LaunchInfo, receive?: () => number): Promise<void> {
    this.#launch = launch
    process.title = `mapache ${identity({ ...launch, pid: process.pid })} ${launch.cluster}`
    // Another launch may be refused the folder if the supervisor died meanwhile; connecting tells.
    const { channel, welcome } = await ChannelClient.connect(launch.channel, launch.token)
    this.#channel = channel
    this.#ticketKeys = welcome.ticketKeys
    this.#limits = { mode: 'stop', drainTimeout: welcome.drainTimeout, stopIdleGrace: welcome.stopIdleGrace }
    this.handle.assign(launch.id, launch.generation, (module, message, data) => {
      channel.send({ type: 'module', module, message, data })
    })
    this.#listening.attach(channel, launch, welcome.backlog, receive)
    this.#leaveFolder = markPresence(launch.folder, process.pid)
    channel.on('message', (message) => this.#take(message))
    // What was asked for before this process was forked, the other was told.
    if (this.#takeEvent.length > 0 && launch.role !== 'mold') this.call('events').catch(() => {})
    channel.on('closed', () => this.#heard.resolve())
    channel.on('closed', () => void this.#lost())
    this.#guard(welcome, receive !== undefined)
    this.#beat(welcome.pulse)
  }

  /** In a process that was just forked. */
  async fork(launch: LaunchInfo, receive: () => number): Promise<void> {
    this.handle.forked()
    await this.become(launch, receive)
  }

  /** Leaves what this process, or the one that it was forked from, was before, and becomes what the launch describes. */
  async become(launch: LaunchInfo, receive?: () => number): Promise<void> {
    if (launch.env) takeEnvironment(launch.env)
    clearInterval(this.#pulsing)
    this.#channel.abandon()
    this.#leaveFolder = () => {}
    this.#drain = new Drain()
    this.#memory = new Memory()
    this.#answers = undefined
    this.#served = new Map()
    this.#activation = defer()
    this.#state = 'booting'
    this.#managed = false
    this.#opening = 0
    await this.attach(launch, receive)
  }

  /** Just ahead of the main script: what modules have loaded in each worker, or what serves in place of the app. */
  async enter(): Promise<void> {
    const { imports = [], fallback, listeners } = this.#launch
    for (const url of imports) await import(url)
    if (!fallback) return
    const addresses = listeners.map(({ address }) => address)
    await serveFallback(this, fallback, addresses).catch((error) => this.fail(error))
  }

  /** Keeps the process alive until the promise is settled. */
  hold(promise: Promise<unknown>): void {
    void this.#channel.hold(promise)
  }

  say(message: Upward): void {
    this.#channel.send(message)
  }

  async sayLast(message: Extract<Upward, { type: 'done' | 'failed' }>): Promise<void> {
    this.#channel.send(message)
    if (!this.#channel.closed) await this.#channel.hold(this.#heard.promise)
  }

  /** This process is a mold now: it gives signs of life, and is killed when it is to go. */
  molded(): void {
    this.#unguard()
  }

  async serve<Value>(work: () => Promise<Value>): Promise<Value> {
    await this.mold?.pass(() => work())
    return work()
  }

  manage(options: ReportedOptions | undefined, close: () => unknown, brings: Brings = {}): void {
    if (this.#managed) {
      throw new MapacheError(
        'MAPACHE_ALREADY_LISTENING',
        'another app of this process listens; listen() takes an array'
      )
    }
    this.#managed = true
    this.#options = options
    this.#close = close
    this.#brings = brings
  }

  needSetup(setup: unknown): void {
    const { setUp } = this.#launch
    if (setup === undefined || setUp === 'ran') return
    // Its process ended where something else listened: to serve without it would be as if it had run.
    if (setUp === 'not-found' || this.#state !== 'booting')
      this.fail(new MapacheError('MAPACHE_OPTION_INVALID', LISTENS_BEFORE))
    this.#channel.send({ type: 'setup-wanted' })
    process.exit(0)
  }

  listenAlone(): void {
    this.#listening.uninstall()
  }

  async activated(): Promise<void> {
    if (this.#launch.warm) return
    if (this.#state === 'booting') {
      this.#state = 'ready'
      const options = this.#options ? { options: this.#options } : {}
      const { warmup, teardown } = this.#brings
      const brings = { ...(warmup ? { warmup: true } : {}), ...(teardown ? { teardown } : {}) }
      this.#channel.send({ type: 'ready', ...options, ...brings })
    }
    await this.#channel.hold(this.#activation.promise)
  }

  serving(): void {
    if (this.#launch.warm) return void this.#warmUp().catch((error) => this.fail(error))
    if (this.#state !== 'ready') return
    this.#state = 'serving'
    this.#listening.closeUnused()
    const checked = this.#launch.role === 'worker' && this.handle.isChecked
    this.#channel.send({ type: 'serving', addresses: [...this.addresses], ...(checked ? { checked } : {}) })
    if (this.role === 'worker') this.handle.beginChecks((check) => this.#health.start(check))
    this.#pulse()
    // The first whole report of its service is not to be late.
    this.#beat()
  }

  fail(error: unknown): never {
    this.#channel.send({ type: 'failed', error: errorToData(error) })
    process.exit(1)
  }

  call(...[method, rest]: Parameters<Runtime['call']>): Promise<unknown> {
    return this.#channel.request({ type: 'call', method, ...rest })
  }

  onEvent(take: (event: string, data: unknown) => void): void {
    this.#takeEvent.push(take)
  }

  #take(message: Downward): void {
    switch (message.type) {
      case 'activate':
        return this.#activation.resolve()
      case 'retire':
        return void this.#retire(message)
      case 'promote':
        return void this.#promote(message)
      case 'noted':
        return this.#heard.resolve()
      case 'measure':
        return this.#measure(message.on)
      case 'fork':
        return this.mold?.take(message)
      case 'hurry':
        return this.#drain.closeIdle()
      case 'pulse':
        return this.#beat(message.pulse)
      case 'ticket-keys':
        this.#ticketKeys = message.ticketKeys
        for (const { server } of this.#drain.servers) shareSessions(server, this.#ticketKeys, this.#launch.cluster)
        return
      case 'refused':
        return console.error(`mapache: the supervisor refused a message: ${message.reason}`)
      case 'module':
        return this.handle.deliver(message.module, message.message, message.data)
      case 'event':
        for (const take of this.#takeEvent) take(message.event, message.data)
        return
      case 'welcome':
      case 'admitted':
      case 'reply':
        return
      default:
        message satisfies never
    }
  }

  /** For as long as a canary is compared with others. */
  #measure(on: boolean): void {
    this.#answers = on ? new Answers() : undefined
    for (const connections of this.#drain.servers) connections.meter = this.#answers
  }

  #open(connections: Connections): void {
    this.#opening += 1
    connections.meter = this.#answers
    this.#drain.add(connections)
    shareSessions(connections.server, this.#ticketKeys, this.#launch.cluster)
  }

  #opened(connections: Connections, key: string, address: BoundAddress): void {
    this.#opening -= 1
    this.#served.set(key, { connections, address })
    // An entry without an adapter serves when all that it began to listen on listens, once its own listeners have run.
    if (!this.#managed) setImmediate(() => this.#opening === 0 && this.serving())
  }

  /** @param every ms between two reports; unless it is given, as before */
  #beat(every = this.#every): void {
    this.#every = every
    clearInterval(this.#pulsing)
    this.#pulsing = setInterval(() => this.#pulse(), every).unref()
  }

  #pulse(): void {
    const isMold = this.mold?.active === true
    if (this.#state === 'booting' && !isMold) return
    const read = this.#memory.read(performance.now(), process.memoryUsage.rss())
    const memory = read ? { memory: read } : {}
    if (isMold || this.role !== 'worker') return this.#channel.send({ type: 'alive', ...memory })
    this.#vitals ??= new Vitals()
    const listening = [...this.#served.values()].every(({ connections }) => connections.server.listening)
    const answers = this.#answers ? { answers: this.#answers.take() } : {}
    const { healthy } = this.#health
    const vitals = {
      ...this.#vitals.read(this.#drain.servers, listening),
      ...(healthy === undefined ? {} : { healthy })
    }
    this.#channel.send({ type: 'vitals', vitals, ...memory, ...answers })
  }

  /** Tells the supervisor what ends this process, ahead of Node, which prints it and exits. */
  #failed(error: unknown): void {
    const handled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
    if (handled) return
    this.#channel.send({ type: 'failed', error: errorToData(error) })
    // The supervisor prints what failed in boot, once for all workers.
    if (this.#state === 'booting' || this.#state === 'ready' || this.#launch.quiet) process.exit(1)
  }

  /** SIGTERM: the supervisor replaces this worker before it retires it; if it cannot, this worker leaves by itself. */
  #leave(): void {
    if (this.mold?.active) return this.#channel.send({ type: 'leave' })
    if (this.role === 'task') return this.#endTask()
    if (this.#state === 'booting') process.exit(0)
    if (this.#state === 'retiring') return
    this.#channel.send({ type: 'leave' })
    setTimeout(() => void this.#retire(this.#limits), LEAVE_TIMEOUT).unref()
  }

  /** The supervisor has died, or will have nothing to do with this process any more. */
  async #lost(): Promise<void> {
    await orphaned(this.#launch.supervisor)
    // Nobody is left who would end it.
    if (this.role === 'task') setTimeout(() => process.exit(1), this.#limits.drainTimeout)
    await this.#retire(this.#limits)
  }

  async #retire(options: DrainOptions): Promise<void> {
    // A mold holds nothing that would have to be finished.
    if (this.mold?.active) process.exit(0)
    if (this.role === 'task') return this.#endTask()
    if (this.#state === 'retiring') return this.#forward(options)
    const before = this.#state
    this.#state = 'retiring'
    // Nothing was accepted yet: there is nothing to finish.
    if (before === 'booting' || (before === 'ready' && this.role === 'worker')) process.exit(0)
    const finished = this.#finish(options)
    if (options.mode === 'forward') this.#channel.send({ type: 'forwarding' })
    await finished
    await runAppSignalHandlers(this.#appSignals)
    process.exit(0)
  }

  /** A task knows best how to end what it has begun. */
  #endTask(): void {
    if (this.#state === 'booting') process.exit(1)
    void this.handle.retire(`the ${this.name} is to end`)
  }

  /** It retires already, and is to hand on what still arrives. */
  #forward({ mode }: DrainOptions): void {
    if (mode !== 'forward') return
    this.#drain.forward()
    this.#channel.send({ type: 'forwarding' })
  }

  #finish(options: DrainOptions): Promise<void> {
    this.#health.stop()
    const drained = (data: DrainedData) => {
      if (this.#launch.role === 'worker') this.#channel.send({ type: 'drained', drained: data })
    }
    return finish({ handle: this.handle, drain: this.#drain, close: this.#close, drained }, options)
  }

  /** Finishes as if it retired, and stays as a mold. */
  async #promote({ generation, drainTimeout }: Extract<Downward, { type: 'promote' }>): Promise<void> {
    if (this.#state !== 'serving') return
    const { id, name, cluster } = this.#launch
    await this.#becomeMold(drainTimeout)
    process.title = `mapache ${identity({ role: 'mold', id, name, generation, pid: process.pid })} ${cluster}`
  }

  async #becomeMold(drainTimeout: number): Promise<void> {
    this.#state = 'retiring'
    this.hold(new Promise(() => {}))
    await this.#finish({ ...this.#limits, mode: 'retire', drainTimeout })
    this.#vitals?.stop()
    this.#vitals = undefined
    // Nobody is left who would have anything forked.
    if (this.#channel.closed) process.exit(0)
    await this.mold?.promote()
  }

  /** Nobody but the app's own warmup asks it; then it is closed, and what stays is a warm mold. */
  async #warmUp(): Promise<void> {
    if (this.#state !== 'booting') return
    this.#state = 'serving'
    for (const { connections, address } of this.#served.values()) {
      const scheme = 'setTicketKeys' in connections.server ? 'https' : 'http'
      await this.#brings.warmup?.(`${scheme}://${formatAddress(address)}`)
      break
    }
    await this.#becomeMold(this.#limits.drainTimeout)
  }

  /** Natively, because a blocked loop notices nothing: it would answer nobody, and hold the socket for ever. */
  #guard({ hangTimeout }: Welcome, isForked: boolean): void {
    if (!this.#native || this.#launch.role === 'mold') return
    const { supervisor, folder } = this.#launch
    const stack = isForked ? { stack: stackPath(folder, process.pid) } : {}
    this.#unguard = this.#native.watchdog({ supervisor, limit: hangTimeout || HANG_TIMEOUT, ...stack })
  }

  async pass(): Promise<void> {
    // The entry listens without ever having said what the task would do.
    if (this.role === 'task') await finishTask(this, { none: true })
    await this.mold?.pass()
  }
}

/** The process that this one was forked from was started with that of an older generation. */
function takeEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
}

const LISTENS_BEFORE =
  'setup is not reached: something else of the app listens before it; let it listen after the listen() that has the setup'
/** How long a worker that was asked to leave waits for the supervisor's word, ms. */
const LEAVE_TIMEOUT = 5_000
/** The limit of the loop's silence without a supervisor, where hangTimeout is off, ms. */
const HANG_TIMEOUT = 30_000
