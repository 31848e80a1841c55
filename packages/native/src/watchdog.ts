import { binding } from './binding.js'
import { integer, pid, text } from './check.js'

export interface WatchdogOptions {
  /** The pid of the process on whose end the watch begins. */
  supervisor: number
  /** Milliseconds for which the event loop may stand still from then on. */
  limit: number
  /**
   * Path of a file: from then on SIGUSR1 has the place of the JavaScript that runs written there, a line for each frame from
   * the innermost on, its function, file, line and column with U+001F between, even when the loop is blocked. For a process
   * that was forked: the thread by which Node opens the inspector of a blocked one was not forked with it.
   */
  stack?: string
}

/**
 * Kills this process (SIGKILL) if its event loop stands still after its supervisor has died: nobody else would. A
 * thread waits for that end and costs nothing until then; it keeps no process alive. One at a time.
 *
 * @returns what ends the watch. Needed before a process that has one forks
 * @throws an error with the code EBUSY if there is one already, ENOSYS on Linux before 5.3
 */
export function watchdog(options: WatchdogOptions): () => void {
  const native = binding()
  const stack = options.stack === undefined ? undefined : text(options.stack, 'the file for the stack')
  native.startWatchdog(pid(options.supervisor), integer(options.limit, 1, 'the limit of the watchdog'), stack)
  let stopped = false
  return () => {
    if (!stopped) native.stopWatchdog()
    stopped = true
  }
}
