import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Supervisor } from './supervisor.js'

/**
 * Takes over the supervisor's signals. The user's entry may have handlers of its own in this process (close-with-grace
 * takes SIGHUP for a shutdown): they stay registered and are not called for the signals that are Mapache's.
 * @param exit ends the process after a stop by signal
 * @returns what undoes it
 */
export function installSignals(supervisor: Supervisor, exit: (code: number) => void): () => void {
  const terminal = hasTerminal()
  const hangupIgnored = ignoresHangup()
  const stop = (mode: 'graceful' | 'now') => void supervisor.stop(mode).then(() => exit(0))
  const scaleBy = (change: number) => {
    const workers = Math.max(1, supervisor.settings.workers + change)
    supervisor.scale(workers).catch(logged)
  }
  const logged = (err: unknown) => supervisor.log.error({ err }, (err as Error).message)
  let interrupted = false
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGHUP: () => {
      if (!terminal || hasTerminal()) return void supervisor.reload().catch(() => {})
      if (hangupIgnored) return supervisor.log.info('the terminal hung up; started with nohup, so it goes on')
      supervisor.log.info('the terminal hung up')
      stop('graceful')
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

/** Whether SIGHUP was ignored when this process was started, as nohup does. Known on Linux only. */
function ignoresHangup(): boolean {
  try {
    const [, mask = '0'] = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return (BigInt(`0x${mask}`) & 1n) === 1n
  } catch {
    return false
  }
}
