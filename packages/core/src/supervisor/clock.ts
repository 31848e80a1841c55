/**
 * A monotonic clock that stands still while this process does (SIGSTOP, a frozen container, a sleeping machine, a
 * debugger). All deadlines are kept by it, so that on waking nobody is killed for the silence of the one who slept.
 * It must be read at least every `LONGEST_GAP`: the supervisor's heartbeat does.
 */
export class AwakeClock {
  readonly #read: () => number
  #last: number
  #asleep = 0

  /** @param read monotonic ms */
  constructor(read: () => number = () => performance.now()) {
    this.#read = read
    this.#last = read()
  }

  /** Monotonic ms, less the time asleep. */
  now(): number {
    const now = this.#read()
    const gap = now - this.#last
    if (gap > LONGEST_GAP) this.#asleep += gap
    this.#last = now
    return now - this.#asleep
  }
}

/** Milliseconds between two heartbeats, and the gap that is taken for sleep. */
export const HEARTBEAT = 1_000
export const LONGEST_GAP = 3_000
