import type { PlanSettings } from '../cluster/plan.js'
import type { Logger } from '../log.js'
import { normaliseOptions, type ReportedOptions, type Settings } from '../options.js'
import { adoptOptions } from './adopt.js'
import type { SupervisorParts } from './supervisor.js'

/** The options as they hold at the moment: those of the start, what new code brought since, and what was scaled. */
export class OptionsInForce {
  settings: Settings
  readonly #fixed: ReportedOptions
  readonly #canFork: boolean
  readonly #fallback: boolean
  readonly #log: Logger
  #reported: ReportedOptions | undefined
  #isScaled = false
  /** Whether the code that serves brings what warms up a mold. */
  #warmup = false

  constructor({ settings, fixed, molds, modules, log }: SupervisorParts) {
    this.settings = settings
    this.#fixed = fixed
    this.#canFork = molds !== undefined && modules.primes === undefined
    this.#fallback = modules.fallback !== undefined
    this.#log = log
  }

  /** As the plan reads them. */
  get planned(): PlanSettings {
    const { settings } = this
    const fork = this.#canFork && settings.boot !== 'spawn'
    return { ...settings, fork, warmup: this.#warmup, fallback: this.#fallback }
  }

  scale(workers: number): void {
    this.#isScaled = true
    this.settings = Object.freeze({ ...this.settings, workers })
  }

  /** Takes over what a worker reported. @returns whether anything may have changed */
  adopt(options: ReportedOptions | undefined, warmup: boolean): boolean {
    if (!options) return false
    try {
      // What was scaled ahead of the first report is not to be undone by it.
      const before = this.#reported ?? (this.#isScaled ? { workers: options.workers } : undefined)
      const { settings, changed, held } = adoptOptions(this.settings, before, options, this.#fixed)
      this.settings = settings
      this.#reported = options
      this.#warmup = warmup
      if (changed.length > 0) this.#log.info(`options changed: ${changed.join(', ')}`)
      if (held.length > 0) this.#log.warn(`options that hold until the next start: ${held.join(', ')}`)
      return true
    } catch (err) {
      this.#log.error({ err }, 'the new options are invalid; the old ones hold')
      return false
    }
  }
}

/** @throws MAPACHE_OPTION_INVALID when it is no number of workers */
export function checkWorkers(workers: number): number {
  // Left out it would be taken for 'auto'.
  return normaliseOptions({ workers: workers ?? null }).workers
}
