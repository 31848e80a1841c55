import { ChannelClient } from '../channel/client.js'
import { type BoundAddress, type Downward, PROTOCOL_VERSION } from '../channel/messages.js'
import { type Deferred, defer } from '../deferred.js'
import { errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import type { ReportedOptions } from '../options.js'
import { markPresence } from '../supervisor/folder.js'
import type { LaunchInfo } from '../supervisor/launch/launcher.js'
import { takeSignals } from '../supervisor/signals.js'
import type { Connections } from './connections.js'
import { Drain, type DrainOptions } from './drain.js'
import { endByNode } from './fatal.js'
import { Handle } from './handle.js'
import { SharedListening } from './listen.js'
import { RUNTIME_VERSION, type Runtime, registerRuntime } from './registry.js'
import { shareSessions } from './sessions.js'
import { Vitals } from './vitals.js'

/**
 * Makes this process a worker (or a service): connects to the supervisor, then takes over signals, errors and `listen`,
 * all before the app's first line runs.
 */
export async function startWorker(launch: LaunchInfo): Promise<void> {
  if (launch.protocol !== PROTOCOL_VERSION) {
    const text = `the supervisor speaks version ${launch.protocol}, this worker ${PROTOCOL_VERSION}`
    throw new MapacheError('MAPACHE_CHANNEL_VERSION', text)
  }
  process.title = `mapache ${identity({ ...launch, pid: process.pid })} ${launch.cluster}`
  // Another launch may be refused the folder if the supervisor died meanwhile; connecting tells.
  const { channel, welcome } = await ChannelClient.connect(launch.channel, launch.token)
  const runtime = new WorkerRuntime(launch, channel, welcome)
  runtime.install()
  registerRuntime(runtime)
}

type Welcome = Extract<Downward, { type: 'welcome' }>

class WorkerRuntime implements Runtime {
  readonly version = RUNTIME_VERSION
  readonly role: LaunchInfo['role']
  readonly name: string
  readonly handle: Handle
  readonly module: LaunchInfo['module']
  readonly #launch: LaunchInfo
  readonly #channel: ChannelClient
  readonly #drain = new Drain()
  readonly #vitals = new Vitals()
  readonly #listening: SharedListening
  readonly #served = new Map<string, { connections: Connections; address: BoundAddress }>()
  readonly #activation: Deferred<void> = defer()
  #limits: DrainOptions
  #ticketKeys: string
  #options: ReportedOptions | undefined
  #close: () => unknown = () => {}
  #managed = false
  #state: 'booting' | 'ready' | 'serving' | 'retiring' = 'booting'
  #opening = 0
  #appSignals = () => {}

  constructor(launch: LaunchInfo, channel: ChannelClient, welcome: Welcome) {
    this.#launch = launch
    this.#channel = channel
    this.#ticketKeys = welcome.ticketKeys
    this.#limits = { mode: 'stop', drainTimeout: welcome.drainTimeout, stopIdleGrace: welcome.stopIdleGrace }
    this.role = launch.role
    this.name = launch.name
    this.module = launch.module
    this.handle = new Handle(launch.id, launch.generation, (module, message, data) => {
      channel.send({ type: 'module', module, message, data })
    })
    this.#listening = new SharedListening(channel, launch, welcome.backlog, {
      activated: () => this.activated(),
      opening: (connections) => this.#open(connections),
      failed: () => {
        this.#opening -= 1
      },
      opened: (connections, key, address) => this.#opened(connections, key, address)
    })
  }

  get addresses(): readonly BoundAddress[] {
    return [...this.#served.values()].map(({ address }) => address)
  }

  install(): void {
    const { folder, supervisor } = this.#launch
    const leaveFolder = markPresence(folder, process.pid)
    // Only without a supervisor: while it lives, it clears up after its workers itself.
    process.on('exit', () => process.ppid !== supervisor && leaveFolder())
    this.#channel.on('message', (message) => this.#take(message))
    this.#channel.on('closed', () => void this.#lost())
    const ignore = () => {}
    this.#appSignals = takeSignals({ SIGTERM: () => this.#leave(), SIGINT: ignore, SIGHUP: ignore, SIGUSR2: ignore })
    process.on('uncaughtExceptionMonitor', (error) => this.#failed(error))
    this.#listening.install()
    const pulse = setInterval(() => this.#pulse(), PULSE)
    pulse.unref()
  }

  manage(options: ReportedOptions | undefined, close: () => unknown): void {
    if (this.#managed) {
      throw new MapacheError(
        'MAPACHE_ALREADY_LISTENING',
        'another app of this process listens; listen() takes an array'
      )
    }
    this.#managed = true
    this.#options = options
    this.#close = close
  }

  async activated(): Promise<void> {
    if (this.#state === 'booting') {
      this.#state = 'ready'
      this.#channel.send({ type: 'ready', ...(this.#options ? { options: this.#options } : {}) })
    }
    await this.#channel.hold(this.#activation.promise)
  }

  serving(): void {
    if (this.#state !== 'ready') return
    this.#state = 'serving'
    this.#listening.closeUnused()
    this.#channel.send({ type: 'serving', addresses: [...this.addresses] })
    this.#pulse()
  }

  fail(error: unknown): Promise<never> {
    this.#channel.send({ type: 'failed', error: errorToData(error) })
    return error instanceof SyntaxError ? endByNode(error) : process.exit(1)
  }

  async call(method: Parameters<Runtime['call']>[0], workers?: number) {
    const request = { type: 'call', method, ...(workers === undefined ? {} : { workers }) } as const
    return (await this.#channel.request(request)) as Awaited<ReturnType<Runtime['call']>>
  }

  #take(message: Downward): void {
    switch (message.type) {
      case 'activate':
        return this.#activation.resolve()
      case 'retire':
        return void this.#retire(message)
      case 'hurry':
        return this.#drain.closeIdle()
      case 'ticket-keys':
        this.#ticketKeys = message.ticketKeys
        for (const { server } of this.#drain.servers) shareSessions(server, this.#ticketKeys, this.#launch.cluster)
        return
      case 'refused':
        return console.error(`mapache: the supervisor refused a message: ${message.reason}`)
      case 'module':
        return this.handle.deliver(message.module, message.message, message.data)
      case 'welcome':
      case 'reply':
        return
      default:
        message satisfies never
    }
  }

  #open(connections: Connections): void {
    this.#opening += 1
    this.#drain.add(connections)
    shareSessions(connections.server, this.#ticketKeys, this.#launch.cluster)
  }

  #opened(connections: Connections, key: string, address: BoundAddress): void {
    this.#opening -= 1
    this.#served.set(key, { connections, address })
    // An entry without an adapter serves when all that it began to listen on listens, once its own listeners have run.
    if (!this.#managed) setImmediate(() => this.#opening === 0 && this.serving())
  }

  #pulse(): void {
    if (this.#state === 'booting') return
    if (this.role === 'service') return this.#channel.send({ type: 'alive' })
    const listening = [...this.#served.values()].every(({ connections }) => connections.server.listening)
    this.#channel.send({ type: 'vitals', vitals: this.#vitals.read(this.#drain.servers, listening) })
  }

  /** Tells the supervisor what ends this process, ahead of Node, which prints it and exits. */
  #failed(error: unknown): void {
    const handled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
    if (handled) return
    this.#channel.send({ type: 'failed', error: errorToData(error) })
    // The supervisor prints what failed in boot, once for all workers. Only Node itself knows the place of a syntax
    // error in an ES module, so that one it prints, too.
    const printed = this.#state === 'booting' || this.#state === 'ready'
    if (printed && !(error instanceof SyntaxError)) process.exit(1)
  }

  /** SIGTERM: the supervisor replaces this worker before it retires it; if it cannot, this worker leaves by itself. */
  #leave(): void {
    if (this.#state === 'booting') process.exit(0)
    if (this.#state === 'retiring') return
    this.#channel.send({ type: 'leave' })
    setTimeout(() => void this.#retire(this.#limits), LEAVE_TIMEOUT).unref()
  }

  /** The supervisor has died, or will have nothing to do with this process any more. */
  async #lost(): Promise<void> {
    const deadline = performance.now() + ORPHAN_TIMEOUT
    // A dying process closes its files before its children are given to another: who leaves at once may not see that it
    // is an orphan, and that clearing up is left to it.
    while (process.ppid === this.#launch.supervisor && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, ORPHAN_TIMEOUT / 200))
    }
    await this.#retire(this.#limits)
  }

  async #retire(options: DrainOptions): Promise<void> {
    if (this.#state === 'retiring') return
    const before = this.#state
    this.#state = 'retiring'
    // Nothing was accepted yet: there is nothing to finish.
    if (before === 'booting' || (before === 'ready' && this.role === 'worker')) process.exit(0)
    const { mode, drainTimeout, stopIdleGrace } = options
    const deadline = performance.now() + drainTimeout
    const told = this.handle.retire()
    const drained = await this.#drain.run({ mode, drainTimeout, stopIdleGrace })
    if (this.role === 'worker') this.#channel.send({ type: 'drained', drained })
    await within(told, Math.max(0, deadline - performance.now()))
    await within(Promise.resolve().then(this.#close), CLOSE_TIMEOUT).catch((error) => console.error(error))
    await this.#runAppSignalHandlers()
    process.exit(0)
  }

  /** What the app would do on SIGTERM was held back until now: it would have closed the server under the drain. */
  async #runAppSignalHandlers(): Promise<void> {
    this.#appSignals()
    if (process.listenerCount('SIGTERM') === 0) return
    // A handler that exits by itself (close-with-grace) does so within this time.
    process.emit('SIGTERM', 'SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT))
  }
}

async function within(promise: Promise<unknown>, time: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, time)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Milliseconds between two reports of vitals. */
const PULSE = 1_000
/** How long a worker that was asked to leave waits for the supervisor's word, ms. */
const LEAVE_TIMEOUT = 5_000
/** How long a process that lost its supervisor waits to become an orphan, ms. */
const ORPHAN_TIMEOUT = 1_000
/** How long the framework's close and the app's own signal handlers may take after the drain, ms. */
const CLOSE_TIMEOUT = 5_000
