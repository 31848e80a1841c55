import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import { isatty } from 'node:tty'
import type { Supervisor } from './supervisor.js'

/**
 * Takes over the supervisor's signals. The user's entry may have handlers of its own in this process (close-with-grace
 * takes SIGHUP for a shutdown): they stay registered and are not called for the signals that are Mapache's.
 * @param exit ends the process after a stop by signal
 * @returns what undoes it
 */
export function installSignals(supervisor: Supervisor, exit: (code: number) => void): () => void {
  let terminal = hasTerminal()
  const detached = isDetached()
  // A teardown that failed has left its trace in the exit code.
  const stop = (mode: 'graceful' | 'now') => void supervisor.stop(mode).then(() => exit(supervisor.exitCode))
  const scaleBy = (change: number) => {
    const workers = Math.max(1, supervisor.plan.settings.workers + change)
    supervisor.scale(workers).catch(logged)
  }
  const logged = (err: unknown) => supervisor.log.error({ err }, (err as Error).message)
  let interrupted = false
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGHUP: () => {
      if (!terminal || hasTerminal()) return void supervisor.reload().catch(() => {})
      // It hangs up once: whoever sends another means a reload.
      terminal = false
      supervisor.log.info(`the terminal hung up${detached ? '; not used by this process (nohup), which goes on' : ''}`)
      if (!detached) stop('graceful')
    },
    SIGTERM: () => stop('graceful'),
    SIGINT: () => {
      stop(interrupted ? 'now' : 'graceful')
      interrupted = true
    },
    SIGQUIT: () => stop('now'),
    SIGURG: () => void supervisor.refork().catch((error) => supervisor.log.warn(error.message)),
    SIGUSR2: () =>
      supervisor.log.warn('MAPACHE_UPGRADE_UNSUPPORTED: the supervisor cannot replace itself without native code')
  }
  // Job control sends these two to a process with a terminal.
  if (!terminal) {
    handlers.SIGTTIN = () => scaleBy(1)
    handlers.SIGTTOU = () => scaleBy(-1)
  }
  return takeSignals(handlers)
}

/**
 * Handles signals ahead of every other listener of this process, and instead of them.
 * @returns what undoes it
 */
export function takeSignals(handlers: Partial<Record<NodeJS.Signals, (signal: NodeJS.Signals) => void>>): () => void {
  const original = process.emit
  const emit = function (this: NodeJS.Process, event: string, ...args: unknown[]): boolean {
    const handler = Object.hasOwn(handlers, event) ? handlers[event as NodeJS.Signals] : undefined
    if (!handler) return Reflect.apply(original, this, [event, ...args])
    handler(event as NodeJS.Signals)
    return true
  }
  process.emit = emit as typeof process.emit
  for (const signal of Object.keys(handlers)) {
    // Node binds `process.emit` when a signal gets its first listener, so those of before would go on as before.
    const earlier = process.rawListeners(signal) as (() => void)[]
    process.removeAllListeners(signal)
    // A signal that has no listener takes its default course; this one does nothing but stand there.
    process.on(signal, placeholder)
    for (const listener of earlier) process.on(signal, listener)
  }
  return () => {
    for (const signal of Object.keys(handlers)) process.off(signal, placeholder)
    if (process.emit === (emit as typeof process.emit)) process.emit = original
    for (const signal of Object.keys(handlers)) delete handlers[signal as NodeJS.Signals]
  }
}

function placeholder(): void {}

/** Whether this process has a controlling terminal that is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'))
    return true
  } catch {
    return false
  }
}

/**
 * Whether this process was started with nohup, or is like one that was: none of its streams is the terminal. That SIGHUP
 * was ignored at its start cannot be seen, because Node sets every signal to its default before it runs any code.
 */
function isDetached(): boolean {
  // BSD's nohup leaves the standard input as it is; most shells tell a command its own path.
  return ![0, 1, 2].some(isatty) || path.basename(process.env._ ?? '') === 'nohup'
}
