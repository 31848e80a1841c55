/** Time, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds since some moment, monotonic. */
  now(): number
  /** Calls back once after so many milliseconds. @returns what cancels it */
  after(delay: number, callback: () => void): () => void
}

export interface BurstOptions {
  /** Milliseconds without a change, after which those gathered are fired. Default `QUIET`. */
  quiet?: number
  /** Milliseconds after the first change, at which those gathered are fired at the latest. Default `MOST`. */
  most?: number
  /** Whether more changes may be found out any moment: then it is not quiet. */
  isBusy?(): boolean
  /** Gets the files, first changed first, without doubles. */
  fire(files: string[]): void
  clock?: Clock
}

/**
 * Gathers changes that belong together. One save fires once, a moment after it; a checkout of hundreds of files fires
 * when it pauses, or once each `most` while it goes on.
 */
export class Burst {
  readonly #quiet: number
  readonly #most: number
  readonly #fire: (files: string[]) => void
  readonly #isBusy: () => boolean
  readonly #clock: Clock
  /** When each file changed first. */
  readonly #files = new Map<string, number>()
  #first = 0
  #cancel: (() => void) | undefined

  constructor(options: BurstOptions) {
    this.#quiet = options.quiet ?? QUIET
    this.#most = options.most ?? MOST
    this.#fire = options.fire
    this.#isBusy = () => options.isBusy?.() ?? false
    this.#clock = options.clock ?? systemClock
  }

  /**
   * Notes a change.
   * @param file the file that changed
   * @param at when that was, by the clock; earlier than now if it took a while to be sure that it is a change
   */
  add(file: string, at: number = this.#clock.now()): void {
    if (this.#files.size === 0) this.#first = this.#clock.now()
    this.#files.set(file, Math.min(at, this.#files.get(file) ?? at))
    this.#wait()
  }

  /** Forgets what was gathered. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#files.clear()
  }

  #wait(): void {
    const now = this.#clock.now()
    const due = Math.min(now + this.#quiet, this.#first + this.#most)
    this.#cancel?.()
    this.#cancel = this.#clock.after(Math.max(0, due - now), () => this.#flush())
  }

  #flush(): void {
    if (this.#isBusy() && this.#clock.now() < this.#first + this.#most) return this.#wait()
    const files = [...this.#files].sort(([, one], [, other]) => one - other).map(([file]) => file)
    this.close()
    this.#fire(files)
  }
}

const systemClock: Clock = {
  now: () => performance.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay)
    return () => clearTimeout(timer)
  }
}

/** Milliseconds: long enough for an editor that writes a file in several steps, too short to be felt. */
export const QUIET = 8
/** Milliseconds that a burst is gathered at the most. */
export const MOST = 100
