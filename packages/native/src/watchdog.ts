import { binding } from './binding.js'
import { integer, pid } from './check.js'

export interface WatchdogOptions {
  /** The pid of the process on whose end the watch begins. */
  supervisor: number
  /** Milliseconds for which the event loop may stand still from then on. */
  limit: number
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
  native.startWatchdog(pid(options.supervisor), integer(options.limit, 1, 'the limit of the watchdog'))
  let stopped = false
  return () => {
    if (!stopped) native.stopWatchdog()
    stopped = true
  }
}
