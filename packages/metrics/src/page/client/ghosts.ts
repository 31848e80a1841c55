import type { Frame, Gone, Process } from './wire.js'

/** How long a process that has ended is still shown, ms: one that crashed must not just vanish. */
const SHOWN = 5_000

/** The processes that have ended a moment ago, as they were last. */
export class Ghosts {
  readonly #shown = new Map<number, { process: Process; until: number }>()

  /** Keeps one that was told to be gone. @param now of any clock, ms, the same in `among` */
  note({ id, reason, failed, how }: Gone, last: Frame | undefined, now: number): void {
    const process = last?.processes.find((known) => known.id === id)
    if (!process) return
    const ghost = {
      ...process,
      state: failed ? 'crashed' : 'gone',
      reason: how ? `${reason}, ${how}` : reason,
      requests: null,
      p99: null,
      inFlight: null,
      utilisation: null,
      memory: null
    }
    this.#shown.set(id, { process: ghost, until: now + SHOWN })
  }

  /** The frame with those that are still shown among the living. */
  among(frame: Frame, now: number): Frame {
    const alive = new Set(frame.processes.map(({ id }) => id))
    for (const [id, { until }] of this.#shown) if (until <= now) this.#shown.delete(id)
    const ghosts = [...this.#shown.values()].map(({ process }) => process).filter(({ id }) => !alive.has(id))
    return ghosts.length === 0 ? frame : { ...frame, processes: [...frame.processes, ...ghosts] }
  }
}
