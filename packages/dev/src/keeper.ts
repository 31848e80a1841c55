import type { Cluster, MapacheError, OpenData } from '@mapache/core'
import { Dependencies } from './dependencies.js'
import type { Loaded } from './loaded.js'

/** How the next worker is made; `auto` is the fastest that works. */
export type Strategy = 'auto' | 'fork' | 'standby' | 'restart'

export interface KeeperOptions {
  strategy: Strategy
  /** What a standby process loads ahead of the dependencies: a loader. */
  ahead: readonly Loaded[]
  note(text: string): void
}

/** Keeps a process ready in which the app's dependencies are loaded, and knows how workers come from it. */
export class Keeper {
  cluster: Cluster | undefined
  readonly #note: KeeperOptions['note']
  readonly #dependencies = new Dependencies()
  /** What was chosen, and what works. */
  #chosen: Strategy
  #way: Strategy
  #ahead: readonly Loaded[]
  #begun = false
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor({ strategy, ahead, note }: KeeperOptions) {
    this.#chosen = strategy
    this.#way = strategy
    this.#ahead = ahead
    this.#note = note
  }

  /** The files that are kept loaded. */
  get files(): string[] {
    return this.#dependencies.files
  }

  /**
   * The app listens: what it has loaded by now is about all of its dependencies. Before that it boots faster alone.
   * @returns how the next worker will be made
   */
  begin(canFork: boolean): Strategy {
    this.#begun = true
    if (this.#way === 'auto' || this.#way === 'fork') this.#way = canFork ? 'fork' : 'standby'
    this.#chosen = this.#way
    // Node itself and this very program are worth keeping loaded even without any.
    this.#soon()
    return this.#way
  }

  /** Notes what a worker has loaded. */
  add(loaded: Iterable<Loaded>): void {
    if (this.#dependencies.add(loaded) && this.#begun) this.#soon()
  }

  /** The dependencies have changed. @returns when they are loaded anew */
  renew(): Promise<void> {
    this.#dependencies.forgive()
    this.#way = this.#chosen
    return this.#prime()
  }

  /** Has a loader loaded ahead from now on, which a fork would not survive. @returns when it is */
  async load(ahead: readonly Loaded[]): Promise<void> {
    this.#ahead = ahead
    if (this.#way !== 'restart') this.#way = 'standby'
    this.#chosen = this.#way
    if (this.#begun) await this.#prime()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #soon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#prime(), DELAY)
  }

  /** One at a time: what came up meanwhile is taken along by the next. */
  async #prime(): Promise<void> {
    clearTimeout(this.#timer)
    this.#next ??= (this.#running ?? Promise.resolve()).then(() => {
      this.#next = undefined
      this.#running = this.#keep()
      return this.#running
    })
    await this.#next
  }

  /** What must not be forked is left out, and named. */
  async #keep(): Promise<void> {
    while (this.#way !== 'restart') {
      const how = this.#way === 'standby' ? 'standby' : 'auto'
      const modules = [...OWN, ...(how === 'standby' ? this.#ahead : []), ...this.#dependencies.modules]
      try {
        await this.cluster?.prime(modules, how)
        return
      } catch (error) {
        const { code, open = [], message } = error as MapacheError
        if (code === 'MAPACHE_STOPPING' || code === 'MAPACHE_RELOAD_SUPERSEDED') return
        if (this.#leaveOut(open)) continue
        this.#way = this.#way === 'standby' ? 'restart' : 'standby'
        this.#note(`${this.#way} from now on: ${message}`)
      }
    }
  }

  #leaveOut(open: readonly OpenData[]): boolean {
    let left = false
    for (const { what, by } of open) {
      const name = by === undefined ? undefined : this.#dependencies.leaveOut(by)
      if (name === undefined) continue
      left = true
      this.#note(`${name} is loaded anew at each change: ${what}`)
    }
    return left
  }
}

/** What `worker.ts` loads, which does nothing by itself. */
const OWN = ['./loaded.js', './worker-options.js', './refresh.js'].map((file) => new URL(file, import.meta.url).href)
/** How long nothing more must be loaded before the dependencies are taken for complete, ms. */
const DELAY = 300
