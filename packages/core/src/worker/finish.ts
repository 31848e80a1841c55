import type { DrainedData } from '../channel/messages.js'
import type { Drain, DrainOptions } from './drain.js'
import type { Handle } from './handle.js'

/** What a worker finishes before it leaves, or becomes a mold. */
export interface Work {
  handle: Handle
  drain: Drain
  /** Closes the app, as its framework does. */
  close: () => unknown
  /** Is told what had to be cut. */
  drained: (data: DrainedData) => void
}

/** Drains, lets the app finish what it registered, then closes it. */
export async function finish({ handle, drain, close, drained }: Work, options: DrainOptions): Promise<void> {
  const deadline = performance.now() + options.drainTimeout
  const told = handle.retire()
  drained(await drain.run(options))
  await within(told, Math.max(0, deadline - performance.now()))
  await within(Promise.resolve().then(close), CLOSE_TIMEOUT).catch((error) => console.error(error))
}

/**
 * What the app would do on SIGTERM was held back until now: it would have closed the server under the drain.
 * @param restore lets its handlers be heard again
 */
export async function runAppSignalHandlers(restore: () => void): Promise<void> {
  restore()
  if (process.listenerCount('SIGTERM') === 0) return
  // A handler that exits by itself (close-with-grace) does so within this time.
  process.emit('SIGTERM', 'SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT))
}

/**
 * A dying process closes its files before its children are given to another: who leaves at once may not see that it is an
 * orphan, and that clearing up is left to it.
 * @returns when the system has given this process to another parent, or after a second
 */
export async function orphaned(parent: number): Promise<void> {
  const deadline = performance.now() + ORPHAN_TIMEOUT
  while (process.ppid === parent && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, ORPHAN_TIMEOUT / 200))
  }
}

async function within(promise: Promise<unknown>, time: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, time)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How long a process that lost its supervisor waits to become an orphan, ms. */
const ORPHAN_TIMEOUT = 1_000
/** How long the framework's close and the app's own signal handlers may take after the drain, ms. */
const CLOSE_TIMEOUT = 5_000
