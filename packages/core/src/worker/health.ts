import { type ErrorData, errorToData, MapacheError } from '../errors.js'
import { LONGEST_TIMER } from '../longest-timer.js'
import { show } from '../show.js'

/** How often the health of a worker is checked, and when it counts as unhealthy. */
export interface HealthTiming {
  /** From the end of one check to the next, ms. Default 10,000. */
  interval?: number
  /** How long a check may take, ms. Default 5,000. */
  timeout?: number
  /** So many failures in a row are unhealthy. Default 3. */
  failures?: number
}

/** The option `health`: what says whether a worker is fit to serve. `false`, an error or no answer in time is a failure. */
export type HealthOption = HealthCheck | ({ check: HealthCheck } & HealthTiming)

/** Gets the app as its factory made it. */
// biome-ignore lint/suspicious/noExplicitAny: the app is of the framework's own type
export type HealthCheck = (app: any) => unknown

/** A check that a worker has. */
export interface Check {
  run: () => unknown
  interval: number
  timeout: number
  failures: number
}

/**
 * @param run the check, without its app
 * @param given what was passed, as an error shows it
 * @throws MAPACHE_OPTION_INVALID when it is no function, or the timing is wrong: what a module exports, or an entry adds, has
 *   not been looked at before
 */
export function makeCheck(
  run: () => unknown,
  timing: HealthTiming = {},
  given: unknown = { check: run, ...timing }
): Check {
  const { interval = INTERVAL, timeout = TIMEOUT, failures = FAILURES, ...others } = timing
  // A timer takes what is no number, and what is too long for it, for 1 ms.
  const isTiming = [interval, timeout, failures].every((n) => Number.isInteger(n) && n >= 1 && n <= LONGEST_TIMER)
  if (typeof run === 'function' && isTiming && Object.keys(others).length === 0)
    return { run, interval, timeout, failures }
  const text = `health must be a function or { check, interval, timeout, failures }, got ${show(given)}`
  throw new MapacheError('MAPACHE_OPTION_INVALID', text)
}

/**
 * The check that an option asks for, of an app that is there.
 * @throws MAPACHE_OPTION_INVALID when it is none
 */
export function checkOf(option: HealthOption, app: unknown): Check {
  const { check, ...timing } = typeof option === 'function' ? { check: option } : option
  return makeCheck(typeof check === 'function' ? () => check(app) : check, timing, option)
}

/**
 * Runs the checks of a worker, each on its own. The worker is healthy when all of them passed last; it is unhealthy as soon
 * as one has failed too often in a row. In between it is what it was.
 */
export class HealthChecks {
  readonly #report: (healthy: boolean, error?: ErrorData) => void
  readonly #passed = new Set<Check>()
  readonly #failed = new Set<Check>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #count = 0
  #healthy: boolean | undefined
  /** What was begun before the last stop is of no interest any more. */
  #round = 0

  /** @param report hears of it when the worker is found healthy first, unhealthy, or healthy again */
  constructor(report: (healthy: boolean, error?: ErrorData) => void) {
    this.#report = report
  }

  /** What was reported last; undefined where there is no check, or none has a result. */
  get healthy(): boolean | undefined {
    return this.#healthy
  }

  /** Begins with a check at once. */
  start(check: Check): void {
    this.#count += 1
    void this.#run(check, 0, this.#round)
  }

  stop(): void {
    this.#round += 1
    for (const timer of this.#timers) clearTimeout(timer)
    for (const set of [this.#timers, this.#passed, this.#failed]) set.clear()
    this.#count = 0
    this.#healthy = undefined
  }

  async #run(check: Check, before: number, round: number): Promise<void> {
    const error = await this.#once(check)
    if (round !== this.#round) return
    const failures = error ? before + 1 : 0
    if (!error) {
      this.#passed.add(check)
      this.#failed.delete(check)
      if (this.#failed.size === 0 && this.#passed.size === this.#count) this.#become(true)
    } else if (failures >= check.failures) {
      this.#failed.add(check)
      this.#become(false, error)
    }
    // Others wait for the first result of a worker.
    const wait = this.#passed.has(check) ? check.interval : Math.min(check.interval, FIRST_INTERVAL)
    this.#later(wait, () => void this.#run(check, failures, round))
  }

  /** @returns why it failed, if it did */
  async #once({ run, timeout }: Check): Promise<ErrorData | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = this.#later(timeout, () => reject(new Error(`its health check did not answer within ${timeout} ms`)))
    })
    try {
      const result = await Promise.race([Promise.resolve().then(run), late])
      return result === false ? errorToData(new Error('its health check returned false')) : undefined
    } catch (error) {
      return errorToData(error)
    } finally {
      clearTimeout(timer)
      if (timer) this.#timers.delete(timer)
    }
  }

  #become(healthy: boolean, error?: ErrorData): void {
    if (this.#healthy === healthy) return
    this.#healthy = healthy
    this.#report(healthy, error)
  }

  #later(wait: number, run: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, wait).unref()
    this.#timers.add(timer)
    return timer
  }
}

const INTERVAL = 10_000
const TIMEOUT = 5_000
const FAILURES = 3
/** Between two checks until the first has passed, ms. */
const FIRST_INTERVAL = 1_000
