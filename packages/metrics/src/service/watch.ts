import type { Overview } from '../overview.js'
import { Overviews, type Snapshot } from './overviews.js'

/** Makes an overview once a second, as long as anybody watches; nothing is done for nobody. */
export class Watch {
  readonly #overviews: Overviews
  readonly #look: () => Promise<Snapshot>
  readonly #watchers = new Set<(overview: Overview) => void>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #latest: Overview | undefined

  /** @param bounds of the histogram, seconds @param look asks the supervisor */
  constructor(bounds: readonly number[], look: () => Promise<Snapshot>) {
    this.#overviews = new Overviews(bounds)
    this.#look = look
  }

  /** The newest, while anybody watches. */
  get latest(): Overview | undefined {
    return this.#latest
  }

  /** @returns ends it */
  onUpdate(fn: (overview: Overview) => void): () => void {
    // Of its own, so that a function that watches twice ends twice.
    const watcher = (overview: Overview) => fn(overview)
    this.#watchers.add(watcher)
    if (!this.#timer) {
      this.#timer = setInterval(() => void this.#tick(), INTERVAL).unref()
      void this.#tick()
    }
    return () => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size === 0) this.end()
    }
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#watchers.clear()
    this.#latest = undefined
    this.#overviews.forget()
  }

  async #tick(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const snapshot = await this.#look()
      if (!this.#timer) return
      this.#latest = this.#overviews.make(snapshot, Date.now())
      for (const watcher of this.#watchers) watcher(this.#latest)
    } catch (error) {
      // The supervisor is slow, or going: the next tick asks again.
      console.error(`mapache: metrics: ${(error as Error).message}`)
    } finally {
      this.#looking = false
    }
  }
}

/** Milliseconds. */
const INTERVAL = 1_000
