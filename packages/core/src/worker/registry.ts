import type { Server } from 'node:net'
import type { BoundAddress, Upward } from '../channel/messages.js'
import { MapacheError } from '../errors.js'
import type { ReportedOptions } from '../options.js'
import type { Caller } from '../remote-cluster.js'
import type { ModuleForm } from '../supervisor/launch/launcher.js'
import type { Handle } from './handle.js'

/**
 * The worker runtime as the rest of the process sees it. It is found by a global symbol, because the app may have a copy
 * of the core other than the one that the supervisor loaded ahead of it.
 */
export interface Runtime extends Caller {
  readonly version: number
  readonly role: 'worker' | 'service' | 'task'
  /** The cluster's. */
  readonly cluster: string
  readonly name: string
  readonly handle: Handle
  readonly module: ModuleForm | undefined
  /** Where it listens by now. */
  readonly addresses: readonly BoundAddress[]
  /**
   * The caller takes over the say of when the app serves, and how it is closed after the drain; and says what warms it up.
   * @param brings what else the code has: what warms the app up, and whether there is a teardown
   * @throws MAPACHE_ALREADY_LISTENING when somebody did already
   */
  manage(options: ReportedOptions | undefined, close: () => unknown, brings?: Brings): void
  /**
   * Called where the app comes to listen: if its code brings a set-up that its generation has not had, this process says so
   * and ends. It comes back afterwards. If something else listened before, it fails to boot: MAPACHE_OPTION_INVALID.
   */
  needSetup(setup: unknown): void
  /** Of a task: the folder of its lock. */
  readonly lock: string
  /** From here on servers of this process listen by themselves. */
  listenAlone(): void
  /**
   * Builds and serves the app by `work`, in a worker. In a mold it waits for ever, and each process that is forked from it
   * goes on; in one that is forked from a promoted worker `work` runs anew.
   */
  serve<Value>(work: () => Promise<Value>): Promise<Value>
  /** Where there is nothing that could be done anew: `serve` without work. */
  pass(): Promise<void>
  /** Ready, then waits until the supervisor lets it serve. Servers that listen do this by themselves. */
  activated(): Promise<void>
  /** All that was to listen listens. */
  serving(): void
  /** Keeps the process alive until the promise is settled. */
  hold(promise: Promise<unknown>): void
  /** Sends a message up the channel. */
  say(message: Upward): void
  /** Sends a task's last message. @returns when the supervisor has read it, and all before it; or is gone */
  sayLast(message: Extract<Upward, { type: 'done' | 'failed' }>): Promise<void>
  /** Reports what keeps this worker from serving, and ends it. */
  fail(error: unknown): never
}

/** What of the app's code the supervisor wants to know. */
export interface Brings {
  warmup?: ((url: string) => unknown) | undefined
  teardown?: boolean
}

/**
 * The runtime of the worker that this code runs in, if it does.
 * @throws MAPACHE_CHANNEL_VERSION when it comes from a version of the core that this one does not understand
 */
export function currentRuntime(): Runtime | undefined {
  const runtime = (globalThis as { [KEY]?: Runtime })[KEY]
  if (runtime && runtime.version !== RUNTIME_VERSION) {
    throw new MapacheError(
      'MAPACHE_CHANNEL_VERSION',
      `the app's @mapache/core speaks version ${RUNTIME_VERSION} with the runtime, the supervisor's ${runtime.version}`
    )
  }
  return runtime
}

export function registerRuntime(runtime: Runtime): void {
  Object.defineProperty(globalThis, KEY, { value: runtime })
}

/** Notes that a server is the one that the app's `listen` is about, and not another that the app opens beside it. */
export function markMain(server: Server): void {
  Object.defineProperty(server, MAIN, { value: true })
}

/** On the servers that are main; see `markMain`. */
export const MAIN = Symbol.for('mapache.main')
const KEY = Symbol.for('mapache.runtime')
/** Raised whenever `Runtime` changes in a way that an older copy would misread. */
export const RUNTIME_VERSION = 5
