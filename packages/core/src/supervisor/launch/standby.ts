import { type ExitStatus, type LaunchEvents, type Launched, type LaunchSpec, launchInfo } from './launcher.js'
import { type ForkSource, type Molds, PendingForks } from './pending.js'
import { spawnNode } from './spawn.js'

/**
 * Launches processes that wait with modules loaded and become a worker when one is asked for: what there is where a
 * process cannot be forked. Each serves as a mold once.
 */
export class StandbyLauncher implements Molds {
  readonly way = 'standby'
  readonly pending = new PendingForks<StandbyProcess>()
  /** Who hears of the end of the process: whoever waited for the standby, then whoever waits for the worker. */
  readonly #listeners = new WeakMap<Launched, LaunchEvents['exited']>()

  launch(spec: LaunchSpec, events: LaunchEvents): Launched {
    // It gets the sockets by Node's IPC, once it is a worker.
    return this.hold(events, (routed) => {
      return spawnNode(spec, launchInfo({ ...spec, listeners: [] }, 0), ['ipc'], routed)
    })
  }

  /** Has a process started, in whichever way, that is to serve as a standby: its end may come to concern somebody else. */
  hold(events: LaunchEvents, start: (events: LaunchEvents) => Launched): Launched {
    const exited = (status: ExitStatus) => this.#listeners.get(launched)?.(status)
    const launched = start({ ...events, exited })
    this.#listeners.set(launched, events.exited)
    return launched
  }

  fork(source: ForkSource, spec: LaunchSpec, events: LaunchEvents): Launched {
    const launched = new StandbyProcess(source.launched)
    this.pending.add(spec.id, { source, launched, events })
    source.send({ type: 'fork', request: spec.id, launch: launchInfo({ ...spec, listeners: [] }, 0) })
    return launched
  }

  forked(source: ForkSource['launched'], request: number, pid: number): boolean {
    const pending = this.pending.take(source, request)
    if (!pending || !source) return false
    const released = this.#listeners.get(source)
    this.#listeners.set(source, pending.events.exited)
    // As a standby it has ended. First, because what is known of it goes by the pid.
    released?.({ code: 0, signal: null, released: true })
    pending.launched.pid = pid
    pending.events.started?.(pid)
    return true
  }
}

/** The worker that a standby process becomes. */
class StandbyProcess implements Launched {
  pid: number | undefined
  readonly #source: Launched | undefined

  constructor(source: Launched | undefined) {
    this.#source = source
  }

  kill(signal: NodeJS.Signals): void {
    // Asked for, it is the worker already: there is no other use for it.
    this.#source?.kill(signal)
  }

  async sendListener(...args: Parameters<Launched['sendListener']>): Promise<void> {
    await this.#source?.sendListener(...args)
  }
}
