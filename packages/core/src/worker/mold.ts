import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import type { OpenData } from '../channel/messages.js'
import { type Deferred, defer } from '../deferred.js'
import { errorToData } from '../errors.js'
import { readList } from '../supervisor/launch/base-list.js'
import type { LaunchInfo } from '../supervisor/launch/launcher.js'
import type { Native } from '../supervisor/launch/native.js'
import { Cleanliness } from './clean.js'
import { listening, loadBase, Standby } from './standby.js'
import type { ForkRequest, Waiting } from './waiting.js'
import type { WorkerRuntime } from './worker-runtime.js'

/**
 * A process that forks workers, or may come to: it loads the app's code, stops where the app would be built, and each
 * process that is forked from it goes on from there. A forked worker that is promoted stops there again, once its app is
 * closed.
 */
export class Mold implements Waiting {
  readonly #runtime: WorkerRuntime
  readonly #native: Native
  readonly #clean = new Cleanliness()
  /** The socket on which this process receives descriptors. */
  #descriptors: number
  /** Whether this process is a mold now, and not a worker. */
  #active = true
  #arrived = false
  /** Modules of a base that could not be loaded, or told a server to listen. */
  readonly #unfit: OpenData[] = []
  #loading = false
  /** Opens in each process that is forked from this one. */
  readonly #passage: Deferred<void> = defer()
  /** Builds and serves the app, as often as it is called; an entry that is no factory has none. */
  #work: (() => Promise<unknown>) | undefined
  /** Descriptors that were received for processes which are not forked yet. */
  readonly #waiting = new Set<number[]>()

  constructor(runtime: WorkerRuntime, native: Native, descriptors: number) {
    this.#runtime = runtime
    this.#native = native
    this.#descriptors = descriptors
  }

  get active(): boolean {
    return this.#active
  }

  /** Before the app's code is loaded: what is opened from now on is the app's. */
  async begin({ preload = [], base }: LaunchInfo): Promise<void> {
    await this.#clean.mark()
    this.#clean.watch()
    this.#loading = true
    const { list } = base ?? {}
    if (list !== undefined) this.#unfit.push(...(await compiledWhole(() => loadBase(readList(list)))))
    this.#loading = false
    for (const name of preload) await import(locate(name))
  }

  /**
   * In a mold, waits for ever; the processes that are forked from it go on.
   * @param work what can be done anew in a process whose app was closed
   */
  async pass(work?: () => Promise<unknown>): Promise<void> {
    if (!this.#active) return
    if (this.#loading) {
      this.#unfit.push(listening())
      return this.#passage.promise
    }
    this.#work ??= work
    if (!this.#arrived) {
      this.#arrived = true
      this.#runtime.hold(this.#passage.promise)
      setImmediate(() => void this.#ready())
    }
    await this.#passage.promise
  }

  /** A worker whose app is closed becomes a mold, if it is fit for it. */
  async promote(): Promise<void> {
    this.#active = true
    const deadline = performance.now() + CLOSING
    let open = await this.#clean.open()
    // What was told to close may take some turns of the loop.
    while (open.length > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CLOSING / 50))
      open = await this.#clean.open()
    }
    if (!this.#work) open.unshift({ what: 'an app that was built by the entry itself, and not by a factory' })
    this.#tell(open)
  }

  /** Takes the supervisor's request. Descriptors come in the order of the requests, so they are received at once. */
  take(message: ForkRequest): void {
    const { request } = message
    try {
      const descriptors = this.#native.receiveDescriptors(this.#descriptors)
      this.#waiting.add(descriptors)
      // From a turn of its own: in the midst of reading from its sockets the loop of the child would read them, too.
      setImmediate(() => void this.#forkWhenIdle(message, descriptors))
    } catch (error) {
      this.#runtime.say({ type: 'fork-failed', request, error: errorToData(error) })
    }
  }

  async #ready(): Promise<void> {
    const busy = await this.#idle().catch((error) => [{ what: (error as Error).message }])
    this.#clean.unwatch()
    this.#tell([...this.#unfit, ...(busy ?? []), ...(await this.#clean.open())])
  }

  #tell(open: Awaited<ReturnType<Cleanliness['open']>>): void {
    const bounded = open.slice(0, MOST_OPEN)
    this.#runtime.say({ type: 'molded', open: bounded, timers: this.#clean.timers() })
    this.#runtime.molded()
  }

  /** What another thread is at would never come to its end in a child. */
  async #idle(): Promise<void> {
    const deadline = performance.now() + IDLE
    while (pendingWork().length > 0) {
      if (performance.now() > deadline) throw new Error(`the mold is busy: ${pendingWork().join(', ')}`)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #forkWhenIdle({ request, launch }: ForkRequest, descriptors: number[]): Promise<void> {
    try {
      await this.#idle()
    } catch (error) {
      return this.#failed(request, descriptors, error)
    }
    setImmediate(() => this.#fork(request, launch as LaunchInfo, descriptors))
  }

  #fork(request: number, launch: LaunchInfo, descriptors: number[]): void {
    // Asked of the mold that this process was forked from.
    if (!this.#active) return
    let pid: number
    try {
      pid = this.#native.fork()
    } catch (error) {
      return this.#failed(request, descriptors, error)
    }
    this.#waiting.delete(descriptors)
    if (pid === 0) {
      this.#becomeWorker(launch, descriptors).catch((error) => this.#runtime.fail(error))
      return
    }
    this.#close(descriptors)
    this.#runtime.say({ type: 'forked', request, pid })
  }

  #failed(request: number, descriptors: number[], error: unknown): void {
    if (!this.#waiting.delete(descriptors)) return
    this.#close(descriptors)
    this.#runtime.say({ type: 'fork-failed', request, error: errorToData(error) })
  }

  async #becomeWorker(launch: LaunchInfo, [own, ...listeners]: number[]): Promise<void> {
    this.#active = false
    this.#native.closeDescriptor(this.#descriptors)
    for (const others of this.#waiting) this.#close(others)
    this.#waiting.clear()
    this.#descriptors = own as number
    const inherited = launch.listeners.map((one, index) => ({ ...one, fd: listeners[index] as number }))
    const receive = () => this.#native.receiveDescriptors(this.#descriptors)[0] as number
    await this.#runtime.fork({ ...launch, listeners: inherited }, receive)
    if (launch.role === 'mold' && launch.base) await this.#hold(receive)
    await this.#clean.mark()
    // The first time the entry's own call goes on; in a process forked from a promoted worker it has returned long ago.
    if (this.#passed) await this.#work?.()
    this.#passed = true
    this.#passage.resolve()
  }

  /** Forked ahead of time, this process waits until it is told which worker it is. */
  async #hold(receive: () => number): Promise<void> {
    const standby = new Standby(this.#runtime, receive)
    this.#runtime.mold = standby
    await standby.pass()
  }

  /** Whether an app was built in the process that this one was forked from. */
  #passed = false

  #close(descriptors: readonly number[]): void {
    for (const descriptor of descriptors) this.#native.closeDescriptor(descriptor)
  }
}

/**
 * Has V8 compile each function with its module, and not when it is called first, which would be in every child anew; and
 * keep it, though it is never called here. Building an app of ordinary dependencies takes a third less time so.
 */
async function compiledWhole<Value>(load: () => Promise<Value>): Promise<Value> {
  setFlagsFromString('--no-flush-bytecode')
  setFlagsFromString('--no-lazy')
  try {
    return await load()
  } finally {
    setFlagsFromString('--lazy')
  }
}

/** A path from the working directory as a URL; the name of a package as the app resolves it. */
function locate(name: string): string {
  if (/^(\.{0,2}\/|file:)/.test(name)) return new URL(name, pathToFileURL(`${process.cwd()}/`)).href
  return pathToFileURL(createRequire(path.resolve('noop.js')).resolve(name)).href
}

/** Requests that Node has given to other threads or to the kernel, by their names. */
function pendingWork(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /Req|ConnectWrap|Job$/.test(name))
}

/** How long a mold may take to finish what it has begun, before it is forked, ms. */
const IDLE = 1_000
/** How long what an app was told to close may take to be closed, ms. */
const CLOSING = 2_000
const MOST_OPEN = 20
