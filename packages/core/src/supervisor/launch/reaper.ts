import { readdirSync, readFileSync } from 'node:fs'
import { afterReading } from './after-reading.js'
import type { ExitStatus } from './launcher.js'
import type { Native } from './native.js'

/**
 * Learns how processes end that were forked elsewhere and given to this one. Each is waited for by its pid: waiting for
 * any child would steal the ends of the app's own children from Node.
 */
export class Reaper {
  readonly #native: Native
  readonly #watched = new Map<number, (status: ExitStatus) => void>()
  /** Children that have ended and that nobody waits for, with the time when they were seen first. */
  readonly #strangers = new Map<number, number>()
  readonly #onChild = () => this.#look()
  #later: NodeJS.Timeout | undefined

  constructor(native: Native) {
    this.#native = native
    native.becomeSubreaper()
    process.on('SIGCHLD', this.#onChild)
  }

  /** Calls `exited` when the process has ended, which it may have already; never within this call. */
  watch(pid: number, exited: (status: ExitStatus) => void): void {
    this.#watched.set(pid, exited)
    setImmediate(this.#onChild)
  }

  /** Whether the process has not been reaped yet, so that its pid is still its own. */
  watches(pid: number): boolean {
    return this.#watched.has(pid)
  }

  close(): void {
    process.off('SIGCHLD', this.#onChild)
    clearTimeout(this.#later)
  }

  #look(): void {
    for (const [pid, exited] of this.#watched) {
      const status = this.#reap(pid)
      if (!status) continue
      this.#watched.delete(pid)
      afterReading(() => exited(status))
    }
    this.#lookForStrangers()
  }

  #reap(pid: number): ExitStatus | undefined {
    try {
      return this.#native.reap(pid)
    } catch (error) {
      // Somebody else has waited for it: how it ended is lost.
      return { code: null, signal: null, error: error as Error }
    }
  }

  /**
   * A worker's orphans become children of this process. Node waits for its own children within a turn of the loop; one
   * that has ended and is still there after a second is nobody's.
   */
  #lookForStrangers(): void {
    const now = performance.now()
    const ended = endedChildren().filter((pid) => !this.#watched.has(pid))
    for (const pid of this.#strangers.keys()) if (!ended.includes(pid)) this.#strangers.delete(pid)
    for (const pid of ended) {
      const since = this.#strangers.get(pid) ?? now
      this.#strangers.set(pid, since)
      if (now - since >= STRANGER) this.#reap(pid)
    }
    clearTimeout(this.#later)
    if (this.#strangers.size > 0) this.#later = setTimeout(this.#onChild, STRANGER).unref()
  }
}

function endedChildren(): number[] {
  try {
    return readdirSync('/proc/self/task').flatMap((task) => {
      const pids = readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').map(Number)
      return pids.filter((pid) => pid > 0 && isZombie(pid))
    })
  } catch {
    // A thread that ended meanwhile: the next look sees the rest.
    return []
  }
}

function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Milliseconds after which an ended child that nobody waited for is nobody's. */
const STRANGER = 1_000
