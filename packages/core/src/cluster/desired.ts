import type { Origin, Role } from './roster.js'

/** So many processes of one role and one generation. */
export interface Slot {
  role: Role
  /** The service's or the task's name; empty for workers and molds. */
  name: string
  generation: number
  /** Whether its processes are started anew, or forked from the generation's mold. */
  from: Origin
  /** The generation whose mold it is forked from, where that is not its own. */
  parent?: number
  /** Its workers serve in place of the app, which has failed. */
  fallback?: true
  /** Of molds: one worker comes from each, which it becomes itself. */
  once?: true
  /** Of services: a successor does nothing before the one that it replaces is gone, so that never more than `count` run. */
  alone?: true
  count: number
  /** Workers booted and held back, on top of `count`. */
  spare: number
}

/** What should run: plain data. `reconcile` makes it so; it knows nothing of rolls. */
export interface Desired {
  slots: readonly Slot[]
  /** So many workers must go on serving while others are replaced. */
  capacity: number
  /** The old workers go first, handing on what still arrives; new ones are launched when none answers requests any more. */
  oldFirst: boolean
  /** So many workers more than `capacity` may be alive and not retiring. */
  surge: number
  /** Retiring processes a place may have before the oldest closes its idle connections. */
  maxRetiring: number
  /** Set once the cluster stops: `graceful` drains, `now` kills. */
  stopping: 'no' | 'graceful' | 'now'
  /** Milliseconds, as in the options. A `hangTimeout` of 0 is off. */
  bootTimeout: number
  hangTimeout: number
  drainTimeout: number
  /** Of tasks; 0 is none. */
  setupTimeout: number
}
