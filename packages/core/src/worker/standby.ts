import { createRequire } from 'node:module'
import type { OpenData } from '../channel/messages.js'
import type { Deferred } from '../deferred.js'
import { defer } from '../deferred.js'
import { readList } from '../supervisor/launch/base-list.js'
import type { LaunchInfo } from '../supervisor/launch/launcher.js'
import { opener } from './origins.js'
import type { ForkRequest, Waiting } from './waiting.js'
import type { WorkerRuntime } from './worker-runtime.js'

/** A process that waits with modules loaded and becomes a worker, once, when it is told what to be. */
export class Standby implements Waiting {
  readonly #runtime: WorkerRuntime
  readonly #passage: Deferred<void> = defer()
  readonly #receive: (() => number) | undefined
  readonly #unfit: OpenData[] = []
  #active = true
  #loading = false

  /** @param receive takes the next descriptor that the supervisor sends; without it handles come by Node's IPC */
  constructor(runtime: WorkerRuntime, receive?: () => number) {
    this.#runtime = runtime
    this.#receive = receive
  }

  get active(): boolean {
    return this.#active
  }

  async begin({ base }: LaunchInfo): Promise<void> {
    this.#loading = true
    if (base?.list !== undefined) this.#unfit.push(...(await loadBase(readList(base.list))))
    this.#loading = false
  }

  async pass(): Promise<void> {
    if (!this.#active) return
    if (this.#loading) {
      this.#unfit.push(listening())
      return this.#passage.promise
    }
    this.#runtime.hold(this.#passage.promise)
    this.#runtime.say({ type: 'molded', open: this.#unfit.slice(0, 20), timers: [] })
    await this.#passage.promise
  }

  take({ request, launch }: ForkRequest): void {
    this.#active = false
    this.#runtime.say({ type: 'forked', request, pid: process.pid })
    this.#runtime
      .become(launch as LaunchInfo, this.#receive)
      .then(this.#passage.resolve, (error) => this.#runtime.fail(error))
  }

  async promote(): Promise<void> {}
}

/**
 * What is said of a base whose modules tell a server to listen: its workers would serve before the app does.
 * To be called in the turn in which that happens.
 */
export function listening(): OpenData {
  const by = opener()
  return { what: 'a server that listens', ...(by === undefined ? {} : { by }) }
}

/**
 * Loads the modules of a base, in their order: URLs are imported, paths are required.
 * @returns those that failed, by their URLs: an ES module that failed once fails for ever in this process. One that was
 *   required is tried again by the next who requires it, so that it does not matter
 */
export async function loadBase(modules: readonly string[]): Promise<OpenData[]> {
  const require = createRequire(import.meta.url)
  const failed: OpenData[] = []
  for (const module of modules) {
    try {
      if (module.includes('://')) await import(module)
      else require(module)
    } catch (error) {
      if (module.includes('://'))
        failed.push({ what: `a module that fails: ${(error as Error)?.message ?? error}`.slice(0, 500), by: module })
    }
  }
  return failed
}
