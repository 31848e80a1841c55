import { type EventLoopUtilization, performance } from 'node:perf_hooks'

/**
 * Spreads a burst of connections over the workers. All wait at one kernel queue, and the first that wakes takes one
 * connection after the other before its siblings are awake: of 64 at once, two workers got 62 and 2. A worker that has
 * time therefore sleeps for a moment between two connections that come in quick succession, which leaves the next one
 * to a sibling. A busy worker does not: it takes fewer connections by being busy.
 */
export class Yield {
  readonly #cell = new Int32Array(new SharedArrayBuffer(4))
  #lastAccept = 0
  #measuredAt = 0
  #measured: EventLoopUtilization = performance.eventLoopUtilization()
  #utilisation = 0
  #unmeasured = 0

  /** Called after each connection that was accepted. */
  accepted(): void {
    // Reading the clock costs, and who is busy has no time for it.
    if (this.#utilisation >= BUSY && ++this.#unmeasured < SELDOM) return
    this.#unmeasured = 0
    const now = performance.now()
    const burst = now - this.#lastAccept < BURST
    this.#lastAccept = now
    this.#measure(now)
    if (burst && this.#utilisation < BUSY) Atomics.wait(this.#cell, 0, 0, NAP)
  }

  #measure(now: number): void {
    if (now - this.#measuredAt < WINDOW) return
    const current = performance.eventLoopUtilization()
    this.#utilisation = performance.eventLoopUtilization(current, this.#measured).utilization
    this.#measured = current
    this.#measuredAt = now
  }
}

/** Connections closer together than this are a burst, ms. */
const BURST = 2
/** Asked of the system, ms; its timers make about 0.06 of it. */
const NAP = 0.01
/** How long utilisation is measured, ms, and from which share on a worker counts as busy. */
const WINDOW = 50
const BUSY = 0.5
/** A busy worker looks once in so many connections whether it still is. */
const SELDOM = 32
