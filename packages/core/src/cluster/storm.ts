/** How launches of a generation are spaced while its workers end badly one after the other. Times are monotonic, ms. */
export interface Storm {
  /** The next launch comes no sooner. */
  notBefore: number
  /** The storm is over if no worker ends badly until then; launches come one at a time before. */
  calmAt: number
  /** Between two launches. */
  delay: number
}

/**
 * Back-off is kept for each place, so a request that kills whoever takes it meets a fresh worker in place after place. This
 * keeps the account of a whole generation: more bad ends within ten seconds than it has workers (and more than three) are
 * a storm, in which workers are launched one at a time, as slowly as in the worst of its places.
 */
export class Storms {
  readonly #ends = new Map<number, number[]>()
  readonly #storms = new Map<number, Storm>()

  /**
   * A worker has ended badly.
   * @param workers how many the generation should have
   * @param delay of its worst place, ms
   * @param calm how long none may end badly until the storm is over, ms
   * @returns how many ended within the window, if that has just become a storm
   */
  failed(generation: number, now: number, workers: number, delay: number, calm: number): number | undefined {
    const storm = this.of(generation, now)
    if (!storm && this.#storms.delete(generation)) this.#ends.delete(generation)
    const ends = [...(this.#ends.get(generation) ?? []), now].filter((at) => at > now - STORM_WINDOW)
    this.#ends.set(generation, ends)
    if (!storm && ends.length <= Math.max(FEWEST, workers)) return undefined
    // With a short back-off it would end and begin again all the time.
    const calmAt = now + Math.max(calm, STORM_WINDOW)
    this.#storms.set(generation, { notBefore: now + delay, calmAt, delay })
    return storm ? undefined : ends.length
  }

  /** A worker is launched: the next one has to wait. */
  launched(generation: number, now: number): void {
    const storm = this.of(generation, now)
    if (storm) storm.notBefore = now + storm.delay
  }

  /** The storm that a generation is in, if it is in one. */
  of(generation: number, now: number): Storm | undefined {
    const storm = this.#storms.get(generation)
    return storm && now < storm.calmAt ? storm : undefined
  }

  /** Ends all of them: somebody says that the cause is gone. */
  end(): void {
    this.#ends.clear()
    this.#storms.clear()
  }

  forget(keep: ReadonlySet<number>): void {
    for (const generation of this.#ends.keys()) {
      if (keep.has(generation)) continue
      this.#ends.delete(generation)
      this.#storms.delete(generation)
    }
  }
}

/** In which time so many bad ends are a storm, ms. */
export const STORM_WINDOW = 10_000
/** So many are none, however few workers there are. */
const FEWEST = 3
