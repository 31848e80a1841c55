import { EventEmitter } from 'node:events'
import type { CallMethod, Upward } from './channel/messages.js'
import type {
  BoundAddress,
  Cluster,
  ClusterEvents,
  ClusterStatus,
  LogLine,
  ProcessInfo,
  ReloadOptions,
  ReloadResult
} from './cluster.js'
import { type ErrorData, errorFromData, MapacheError } from './errors.js'
import { checkWorkers, normaliseOptions } from './options.js'

export type CallArguments = Omit<Extract<Upward, { type: 'call' }>, 'type' | 'request' | 'method'>

/** How a process that is not the supervisor asks it for something. */
export interface Caller {
  call(method: CallMethod, rest?: CallArguments): Promise<unknown>
  /** Calls `take` with each event from now on, as it came up the channel. */
  onEvent(take: (event: string, data: unknown) => void): void
}

/** The cluster as seen from outside of the supervisor: all that it does are requests. */
export class RemoteCluster extends EventEmitter<ClusterEvents> implements Cluster {
  readonly role: Exclude<Cluster['role'], 'supervisor'>
  readonly #caller: Caller
  #last: ClusterStatus | undefined
  #follows = false

  constructor(role: RemoteCluster['role'], caller: Caller) {
    super()
    this.role = role
    this.#caller = caller
    ;(this as EventEmitter<Record<string, unknown[]>>).on('newListener', () => this.#follow())
  }

  get generation(): number {
    return this.#last?.generation ?? 0
  }

  get workers(): readonly ProcessInfo[] {
    return this.#last?.processes.filter(({ role }) => role === 'worker') ?? []
  }

  get addresses(): readonly BoundAddress[] {
    return this.#last?.addresses ?? []
  }

  async status(): Promise<ClusterStatus> {
    this.#last = (await this.#caller.call('status')) as ClusterStatus
    return this.#last
  }

  async reload({ oldFirst = false, canary }: ReloadOptions = {}): Promise<ReloadResult> {
    // What the channel would refuse is told here.
    if (canary !== undefined) normaliseOptions({ canary })
    const asked = canary === undefined ? {} : { canary }
    return (await this.#caller.call('reload', { oldFirst, ...asked })) as ReloadResult
  }

  async prime(): Promise<never> {
    throw new MapacheError('MAPACHE_CONTROL_DENIED', 'only the supervisor itself decides what is kept ready')
  }

  refork(): Promise<ReloadResult> {
    return this.#caller.call('refork') as Promise<ReloadResult>
  }

  rollback(): Promise<ReloadResult> {
    return this.#caller.call('rollback') as Promise<ReloadResult>
  }

  async scale(workers: number | 'auto'): Promise<void> {
    checkWorkers(workers)
    await this.#caller.call('scale', { workers })
  }

  async recycle(id: number): Promise<void> {
    if (!Number.isSafeInteger(id) || id < 0) {
      throw new MapacheError('MAPACHE_PROCESS_UNKNOWN', `an id is a whole number, got ${String(id)}`)
    }
    await this.#caller.call('recycle', { id })
  }

  revive(): Promise<number> {
    return this.#caller.call('revive') as Promise<number>
  }

  tail(lines = 100): Promise<LogLine[]> {
    return this.#caller.call('log', { lines: Math.min(1_000, Math.max(0, Math.floor(lines) || 0)) }) as Promise<
      LogLine[]
    >
  }

  async stop(mode: 'graceful' | 'now' = 'graceful'): Promise<void> {
    await this.#caller.call(mode === 'now' ? 'stop-now' : 'stop')
  }

  /** From the first listener on: nothing is sent to who does not listen. */
  #follow(): void {
    if (this.#follows) return
    this.#follows = true
    this.#caller.onEvent((event, data) => {
      const args = data === undefined ? [] : [withErrors(data)]
      this.emit(event as keyof ClusterEvents, ...(args as never))
    })
    // Without a supervisor nothing happens that could be told of.
    this.#caller.call('events').catch(() => {})
  }
}

function withErrors(data: unknown): unknown {
  const { error } = data as { error?: ErrorData | string }
  return typeof error === 'object' ? { ...(data as object), error: errorFromData(error) } : data
}
