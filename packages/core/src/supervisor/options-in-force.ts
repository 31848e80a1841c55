import { isDeepStrictEqual } from 'node:util'
import type { ScalingRange } from '../cluster/autoscale.js'
import type { PlanSettings } from '../cluster/plan.js'
import type { Logger } from '../log.js'
import { type ReportedOptions, rangeOf, type Settings } from '../options.js'
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
  /** The number of workers that was set by hand. */
  #pinned: number | undefined
  /** The number that the load asks for. */
  #load: number | undefined
  /** Whether the code that serves brings what warms up a mold. */
  #warmup = false
  /** Whether whoever started the cluster brings a teardown, or the code that serves. */
  readonly #ownTeardown: boolean
  #teardown = false

  constructor({ settings, fixed, molds, modules, log }: SupervisorParts) {
    this.settings = settings
    this.#fixed = fixed
    this.#canFork = molds !== undefined && modules.primes === undefined
    this.#fallback = modules.fallback !== undefined
    this.#log = log
    this.#ownTeardown = settings.teardown !== undefined
  }

  /** As the plan reads them. */
  get planned(): PlanSettings {
    const { settings } = this
    const fork = this.#canFork && settings.boot !== 'spawn'
    const teardown = this.#ownTeardown || this.#teardown
    return { ...settings, workers: this.#target, fork, warmup: this.#warmup, fallback: this.#fallback, teardown }
  }

  get #target(): number {
    const { range } = this
    if (this.#pinned !== undefined || !range) return this.#pinned ?? (this.settings.workers as number)
    return Math.max(range.min, this.#load ?? range.min)
  }

  /** Within what the load decides about the number of workers, pinned or not. */
  get range(): ScalingRange | undefined {
    return rangeOf(this.settings)
  }

  get pinned(): boolean {
    return this.#pinned !== undefined
  }

  /** @returns how many workers should serve now */
  scale(workers: number | 'auto'): number {
    if (workers === 'auto') {
      // From what there is the load goes on.
      this.#load = this.range && this.#target
      this.#pinned = undefined
    } else this.#pinned = workers
    return this.#target
  }

  /** Takes note of what the load asks for. */
  follow(workers: number): void {
    this.#load = workers
  }

  /**
   * Takes over what a worker reported.
   * @param brings what else its code brings
   * @returns whether anything may have changed
   */
  adopt(options: ReportedOptions | undefined, brings: { warmup?: boolean; teardown?: boolean }): boolean {
    if (!options) return false
    try {
      const before = this.#reported
      const { settings, changed, held } = adoptOptions(this.settings, before, options, this.#fixed)
      const isOther = !isDeepStrictEqual(settings.workers, this.settings.workers)
      const was = this.#target
      this.settings = settings
      // What was scaled by hand holds until new code says another number; the first report says nothing new.
      if (before && isOther) this.#pinned = undefined
      this.#load = this.range && (this.#load ?? was)
      this.#reported = options
      this.#warmup = brings.warmup === true
      this.#teardown = brings.teardown === true
      if (changed.length > 0) this.#log.info(`options changed: ${changed.join(', ')}`)
      if (held.length > 0) this.#log.warn(`options that hold until the next start: ${held.join(', ')}`)
      return true
    } catch (err) {
      this.#log.error({ err }, 'the new options are invalid; the old ones hold')
      return false
    }
  }
}
