import type { Downward } from '../channel/messages.js'
import type { LaunchInfo } from '../supervisor/launch/launcher.js'

export type ForkRequest = Extract<Downward, { type: 'fork' }>

/** What makes a process wait until it is to be forked, or to become a worker itself. */
export interface Waiting {
  /** Whether this process waits, and is no worker. */
  readonly active: boolean
  /** Loads what is loaded ahead of the app's code. */
  begin(launch: LaunchInfo): Promise<void>
  /**
   * Waits, as long as this process does; whatever becomes of it goes on.
   * @param work what can be done anew in a process whose app was closed
   */
  pass(work?: () => Promise<unknown>): Promise<void>
  take(message: ForkRequest): void
  /** A worker whose app is closed becomes a mold, if it is fit for it. */
  promote(): Promise<void>
}
