import { type LaunchEvents, type Launched, type LaunchSpec, launchInfo } from './launcher.js'
import type { FoundNative } from './native.js'
import { type ForkSource, type Molds, PendingForks } from './pending.js'
import { Reaper } from './reaper.js'
import { spawnNode } from './spawn.js'

/**
 * Launches molds, and workers out of them. A worker is asked of its mold over the channel; its descriptors go ahead on a
 * socket of their own, because the channel carries text. The new process is a child of the supervisor (the mold forks
 * twice), so that it lives on when the mold ends.
 */
export class MoldLauncher implements Molds {
  readonly way = 'fork'
  readonly #native: FoundNative['native']
  readonly #reaper: Reaper
  readonly url: string
  readonly pending = new PendingForks<ForkedProcess>()

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
    const launched = new ForkedProcess(this.#native, own, this.#reaper)
    this.pending.add(spec.id, { source, launched, events: { ...events, exited } })
    try {
      const socket = source.launched?.descriptors as number
      this.#native.sendDescriptors(socket, [theirs, ...spec.listeners.map(({ fd }) => fd)])
      source.send({ type: 'fork', request: spec.id, launch: launchInfo(spec, 0) })
    } catch (cause) {
      setImmediate(() => this.pending.fail(spec.id, (cause as Error).message, cause))
    } finally {
      this.#native.closeDescriptor(theirs)
    }
    return launched
  }

  forked(source: ForkSource['launched'], request: number, pid: number): boolean {
    const pending = this.pending.take(source, request)
    if (!pending) return false
    this.#reaper.watch(pid, pending.events.exited)
    pending.launched.started(pid)
    pending.events.started?.(pid)
    return true
  }

  close(): void {
    this.#reaper.close()
  }
}

/** A process that a mold forked, or is about to. */
class ForkedProcess implements Launched {
  pid: number | undefined
  readonly descriptors: number
  readonly #native: FoundNative['native']
  readonly #reaper: Reaper
  #signal: NodeJS.Signals | undefined

  constructor(native: FoundNative['native'], descriptors: number, reaper: Reaper) {
    this.#native = native
    this.descriptors = descriptors
    this.#reaper = reaper
  }

  started(pid: number): void {
    this.pid = pid
    if (this.#signal) this.kill(this.#signal)
  }

  kill(signal: NodeJS.Signals): void {
    this.#signal = signal
    // Once it is reaped its pid is nobody's, or another's.
    if (this.pid !== undefined && this.#reaper.watches(this.pid)) process.kill(this.pid, signal)
  }

  async sendListener(_key: string, { fd }: { fd: number }): Promise<void> {
    this.#native.sendDescriptors(this.descriptors, [fd])
  }
}

/** The descriptor on which a mold receives others: after stdio. */
const DESCRIPTORS = 3
