import type { Cluster } from '../cluster.js'
import { type Check, type HealthTiming, makeCheck } from './health.js'

/** What app code may know of the worker that it runs in, and how it learns that it must go. */
export interface WorkerHandle {
  /** 0 when the app runs alone. */
  readonly id: number
  /** 0 when the app runs alone. */
  readonly generation: number
  /** Aborted when the worker begins to retire: end server-sent events and WebSockets then. */
  readonly retiring: AbortSignal
  /** Calls `fn` when the worker begins to retire; a promise that it returns is waited for before the app is closed. */
  onRetire(fn: () => unknown): void
  /** Calls `fn` in a process that was forked from this one, first thing: to make anew what must not be shared. */
  onFork(fn: () => unknown): void
  /**
   * Calls `check` time and again while the worker serves. If it returns `false`, throws, rejects or does not answer in time,
   * as often in a row as `failures` says, the worker is unhealthy, and is replaced.
   * @throws MAPACHE_OPTION_INVALID for what is no function, or a wrong timing (ms)
   */
  onHealth(check: () => unknown, timing?: HealthTiming): void
  /** Sends a module's message to the supervisor; without one it goes nowhere. */
  send(module: string, message: string, data: unknown): void
  /** Calls `fn` with the data of a message that the supervisor's side of a module sends. */
  onMessage(module: string, message: string, fn: (data: unknown) => void): void
}

/** What a service gets: its own name and options, and the cluster, beside the rest. */
export interface ServiceHandle extends WorkerHandle {
  readonly name: string
  /** As they were given. */
  readonly options: unknown
  /** The cluster. Where the service may not control it, only to look at. */
  readonly cluster: Cluster
  /** Writes a line into Mapache's own log, under the service's name. What is longer than 20,000 characters is cut. */
  log(level: 'info' | 'warn' | 'error', text: string): void
}

/** The handle's other side: for the runtime. */
export class Handle implements WorkerHandle {
  #controller = new AbortController()
  #retireFns: (() => unknown)[] = []
  readonly #forkFns: (() => unknown)[] = []
  readonly #messageFns = new Map<string, ((data: unknown) => void)[]>()
  #checks: Check[] = []
  /** How many of the checks were there before the app was built. */
  #lasting = 0
  #began: ((check: Check) => void) | undefined
  #id = 0
  #generation = 0
  #send: WorkerHandle['send'] = () => {}

  /** Makes it the handle of this worker; of one that is forked again and again, in turn. */
  assign(id: number, generation: number, send: WorkerHandle['send']): void {
    this.#id = id
    this.#generation = generation
    this.#send = send
  }

  get id(): number {
    return this.#id
  }

  get generation(): number {
    return this.#generation
  }

  send(module: string, message: string, data: unknown): void {
    this.#send(module, message, data)
  }

  get retiring(): AbortSignal {
    return this.#controller.signal
  }

  onRetire(fn: () => unknown): void {
    if (this.retiring.aborted) void callSafely(fn)
    else this.#retireFns.push(fn)
  }

  onFork(fn: () => unknown): void {
    this.#forkFns.push(fn)
  }

  onHealth(check: () => unknown, timing?: HealthTiming): void {
    this.addCheck(makeCheck(check, timing))
  }

  addCheck(check: Check): void {
    this.#checks.push(check)
    this.#began?.(check)
  }

  /** Whether there is any health check. */
  get isChecked(): boolean {
    return this.#checks.length > 0
  }

  /** @param begin is called with each check that there is, and that is to come */
  beginChecks(begin: (check: Check) => void): void {
    this.#began = begin
    for (const check of this.#checks) begin(check)
  }

  onMessage(module: string, message: string, fn: (data: unknown) => void): void {
    const key = `${module}:${message}`
    this.#messageFns.set(key, [...(this.#messageFns.get(key) ?? []), fn])
  }

  deliver(module: string, message: string, data: unknown): void {
    for (const fn of this.#messageFns.get(`${module}:${message}`) ?? []) void callSafely(() => fn(data))
  }

  /** In a process that was just forked. What the worker before it had registered for its end was the worker's. */
  forked(): void {
    // The app is built anew in each fork, and brings its checks anew.
    if (this.retiring.aborted) this.#checks.length = this.#lasting
    else this.#lasting = this.#checks.length
    this.#began = undefined
    if (this.retiring.aborted) {
      this.#controller = new AbortController()
      this.#retireFns = []
    }
    for (const fn of this.#forkFns) void callSafely(fn)
  }

  /** @returns when everything that was registered has finished */
  async retire(why = 'the worker is retiring'): Promise<void> {
    if (this.retiring.aborted) return
    this.#controller.abort(new Error(why))
    await Promise.all(this.#retireFns.map(callSafely))
  }
}

/** The app's own functions may throw: that is printed, and does not keep the worker from leaving. */
async function callSafely(fn: () => unknown): Promise<void> {
  try {
    await fn()
  } catch (error) {
    console.error(error)
  }
}
