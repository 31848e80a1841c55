import type { OpenData } from '../channel/messages.js'
import { type Deferred, defer } from '../deferred.js'
import { type ErrorData, errorFromData, MapacheError } from '../errors.js'

/** The calls of `prime()` that somebody waits for, by the number of the base. */
export class Primes {
  readonly #waiting = new Map<number, Deferred<void>>()
  readonly #open = new Map<number, readonly OpenData[]>()
  #last = 0

  /** @returns the numbers of a new base and of what is held ready of it, below 0, and when it is ready */
  open(): { generation: number; held: number; ready: Promise<void> } {
    const generation = this.#last - 1
    this.#last -= 2
    const ready = defer<void>()
    this.#waiting.set(generation, ready)
    return { generation, held: this.#last, ready: ready.promise }
  }

  /** What a base holds that must not be forked, for the error. */
  unclean(generation: number, open: readonly OpenData[]): void {
    this.#open.set(generation, open)
  }

  /** The bases that are waited for, and what is held of each: the plan may not know of them yet. */
  get pending(): number[] {
    return [...this.#waiting.keys()].flatMap((generation) => [generation, generation - 1])
  }

  primed(generation: number): void {
    this.#take(generation)?.resolve()
  }

  failed(generation: number, data: ErrorData): void {
    const cause = errorFromData(data)
    const open = this.#open.get(generation)
    this.#open.delete(generation)
    const error =
      cause instanceof MapacheError
        ? cause
        : new MapacheError('MAPACHE_BOOT_FAILED', `the base did not load: ${cause.message}`, { cause })
    if (open) error.open = open
    this.#take(generation)?.reject(error)
  }

  /** Nobody gets what he waits for any more. */
  close(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping'))
    }
    this.#waiting.clear()
  }

  #take(generation: number): Deferred<void> | undefined {
    const waiting = this.#waiting.get(generation)
    this.#waiting.delete(generation)
    return waiting
  }
}
