import type { Downward } from '../../channel/messages.js'
import { type ErrorData, errorFromData, MapacheError } from '../../errors.js'
import type { LaunchEvents, Launched, LaunchSpec } from './launcher.js'

/** A process that can be asked to fork. */
export interface ForkSource {
  readonly launched?: Launched
  send(message: Downward): void
}

/** Starts processes that workers come from, and workers out of them. */
export interface Molds {
  /** Whether each worker is a fork of such a process, or becomes of it itself, once. */
  readonly way: 'fork' | 'standby'
  /** What was asked for and is not there yet. */
  readonly pending: Pick<PendingForks<Launched>, 'failed' | 'ended' | 'awaits'>
  launch(spec: LaunchSpec, events: LaunchEvents): Launched
  fork(source: ForkSource, spec: LaunchSpec, events: LaunchEvents): Launched
  /** There is what was asked for. @returns false when it was not asked for that */
  forked(source: ForkSource['launched'], request: number, pid: number): boolean
}

interface Pending<Worker extends Launched> {
  source: ForkSource
  launched: Worker
  events: LaunchEvents
}

/** Forks that were asked for, by the id of the process to be. */
export class PendingForks<Worker extends Launched> {
  readonly #pending = new Map<number, Pending<Worker>>()

  add(id: number, pending: Pending<Worker>): void {
    this.#pending.set(id, pending)
  }

  /** @returns undefined when the source was not asked for that */
  take(source: ForkSource['launched'], request: number): Pending<Worker> | undefined {
    const pending = this.#pending.get(request)
    if (!pending || pending.source.launched !== source) return undefined
    this.#pending.delete(request)
    return pending
  }

  /** There will not be what was asked for. @returns false when the source was not asked for that */
  failed(source: ForkSource['launched'], request: number, error: ErrorData): boolean {
    if (this.#pending.get(request)?.source.launched !== source) return false
    this.fail(request, error.message, errorFromData(error))
    return true
  }

  fail(request: number, text: string, cause?: unknown): void {
    const pending = this.#pending.get(request)
    this.#pending.delete(request)
    const error = new MapacheError('MAPACHE_FORK_FAILED', text, { cause })
    pending?.events.exited({ code: null, signal: null, error })
  }

  /** The process has ended: what it had not forked by then it never will. */
  ended(source: ForkSource['launched']): void {
    for (const [request, pending] of this.#pending) {
      if (pending.source.launched === source) this.fail(request, 'its mold ended before it was forked')
    }
  }

  /** Whether it was asked for a fork that it has not answered. */
  awaits(source: ForkSource['launched']): boolean {
    return [...this.#pending.values()].some((pending) => pending.source.launched === source)
  }
}
