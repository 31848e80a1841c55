import type { Downward } from '../../channel/messages.js'
import { type ErrorData, errorFromData, MapacheError } from '../../errors.js'
import { type LaunchEvents, type Launched, type LaunchSpec, launchInfo } from './launcher.js'
import type { FoundNative } from './native.js'
import { Reaper } from './reaper.js'
import { spawnNode } from './spawn.js'

/** A process that can be asked to fork. */
export interface ForkSource {
  readonly launched?: Launched
  send(message: Downward): void
}

interface PendingFork {
  source: ForkSource
  launched: ForkedProcess
  events: LaunchEvents
}

/**
 * Launches molds, and workers out of them. A worker is asked of its mold over the channel; its descriptors go ahead on a
 * socket of their own, because the channel carries text. The new process is a child of the supervisor (the mold forks
 * twice), so that it lives on when the mold ends.
 */
export class MoldLauncher {
  readonly #native: FoundNative['native']
  readonly #reaper: Reaper
  readonly url: string
  /** Forks that were asked for, by the id of the process to be. */
  readonly #pending = new Map<number, PendingFork>()

  constructor({ native, url }: FoundNative) {
    this.#native = native
    this.url = url
    this.#reaper = new Reaper(native)
  }

  /** Starts a mold: a program like a worker's, without the sockets of the cluster, which must close with the workers. */
  launch(spec: LaunchSpec, events: LaunchEvents): Launched {
    const [own, theirs] = this.#native.socketPair()
    const info = { ...launchInfo({ ...spec, listeners: [] }, 0), descriptors: DESCRIPTORS }
    const exited: LaunchEvents['exited'] = (status) => {
      this.#native.closeDescriptor(own)
      events.exited(status)
    }
    const launched = spawnNode(spec, info, [theirs], { ...events, exited })
    this.#native.closeDescriptor(theirs)
    return { ...launched, descriptors: own }
  }

  /** Has a worker forked. */
  fork(source: ForkSource, spec: LaunchSpec, events: LaunchEvents): Launched {
    const [own, theirs] = this.#native.socketPair()
    const exited: LaunchEvents['exited'] = (status) => {
      this.#native.closeDescriptor(own)
      events.exited(status)
    }
    const launched = new ForkedProcess(this.#native, own)
    this.#pending.set(spec.id, { source, launched, events: { ...events, exited } })
    try {
      const socket = source.launched?.descriptors as number
      this.#native.sendDescriptors(socket, [theirs, ...spec.listeners.map(({ fd }) => fd)])
      source.send({ type: 'fork', request: spec.id, launch: launchInfo(spec, 0) })
    } catch (cause) {
      setImmediate(() => this.#fail(spec.id, (cause as Error).message, cause))
    } finally {
      this.#native.closeDescriptor(theirs)
    }
    return launched
  }

  /** A mold forked what it was asked for. @returns false when it was not asked for that */
  forked(source: ForkSource['launched'], request: number, pid: number): boolean {
    const pending = this.#take(source, request)
    if (!pending) return false
    pending.launched.started(pid)
    pending.events.started?.(pid)
    this.#reaper.watch(pid, pending.events.exited)
    return true
  }

  /** A mold could not fork. @returns false when it was not asked for that */
  failed(source: ForkSource['launched'], request: number, error: ErrorData): boolean {
    if (this.#pending.get(request)?.source.launched !== source) return false
    this.#fail(request, error.message, errorFromData(error))
    return true
  }

  /** A mold has ended: what it had not forked by then it never will. */
  ended(source: ForkSource['launched']): void {
    for (const [request, pending] of this.#pending) {
      if (pending.source.launched === source) this.#fail(request, 'its mold ended before it was forked')
    }
  }

  /** Whether the mold was asked for a fork that it has not answered. */
  awaits(source: ForkSource['launched']): boolean {
    return [...this.#pending.values()].some((pending) => pending.source.launched === source)
  }

  close(): void {
    this.#reaper.close()
  }

  #take(source: ForkSource['launched'], request: number): PendingFork | undefined {
    const pending = this.#pending.get(request)
    if (!pending || pending.source.launched !== source) return undefined
    this.#pending.delete(request)
    return pending
  }

  #fail(request: number, text: string, cause?: unknown): void {
    const pending = this.#pending.get(request)
    this.#pending.delete(request)
    const error = new MapacheError('MAPACHE_FORK_FAILED', text, { cause })
    pending?.events.exited({ code: null, signal: null, error })
  }
}

/** A process that a mold forked, or is about to. */
class ForkedProcess implements Launched {
  pid: number | undefined
  readonly descriptors: number
  readonly #native: FoundNative['native']
  #signal: NodeJS.Signals | undefined

  constructor(native: FoundNative['native'], descriptors: number) {
    this.#native = native
    this.descriptors = descriptors
  }

  started(pid: number): void {
    this.pid = pid
    if (this.#signal) this.kill(this.#signal)
  }

  kill(signal: NodeJS.Signals): void {
    this.#signal = signal
    // Until it is reaped its pid is its own.
    if (this.pid !== undefined) process.kill(this.pid, signal)
  }

  async sendListener(_key: string, { fd }: { fd: number }): Promise<void> {
    this.#native.sendDescriptors(this.descriptors, [fd])
  }
}

/** The descriptor on which a mold receives others: after stdio. */
const DESCRIPTORS = 3
