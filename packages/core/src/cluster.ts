import type { EventEmitter } from 'node:events'
import type { CanaryFigures } from './channel/canary.js'
import type { BoundAddress, DrainedData, MemoryData, VitalsData } from './channel/messages.js'
import type { CanaryOptions } from './cluster/canary.js'
import type { Crash } from './cluster/crashes.js'
import type { RollKind } from './cluster/roll.js'
import type { EndReason, Role } from './cluster/roster.js'
import type { State } from './cluster/states.js'
import type { MapacheError } from './errors.js'
import type { LogLine } from './supervisor/log-tail.js'

export type { BoundAddress, CanaryFigures, Crash, DrainedData, LogLine, MemoryData, VitalsData }

/** One worker, service, mold or task, as it was when it was asked for. */
export interface ProcessInfo {
  readonly id: number
  readonly role: Role
  /** The service's or the task's name; empty for the others. */
  readonly name: string
  readonly generation: number
  readonly place: number
  readonly state: State
  readonly pid: number | undefined
  /** Since its launch, ms. */
  readonly age: number
  /** How long it has been in its state, ms. */
  readonly inState: number
  /** Why it leaves, or is to. */
  readonly reason: EndReason | undefined
  /** How often its place failed in a row. */
  readonly failures: number
  /** Of a worker; read once a second. */
  readonly vitals: VitalsData | undefined
  /** What it takes of the memory, where the system tells (Linux); read every ten seconds. */
  readonly memory: MemoryData | undefined
}

/** How many workers the load may ask for. */
export interface ScalingStatus {
  min: number
  /** As the option says; `'auto'` is a number here. */
  max: number
  /** What the machine leaves of that; more workers are not launched. */
  most: number
  /** Why `most` is less than `max`. */
  limitedBy?: 'cpu' | 'memory'
  /** The number was set by hand, and the load decides nothing until `scale('auto')`. */
  pinned: boolean
}

/** How the cluster is, as plain data. */
export interface ClusterStatus {
  name: string
  /** The supervisor's. */
  pid: number
  /** Of @mapache/core, in the supervisor. */
  version: string
  /** When the supervisor started, in milliseconds since 1970. */
  startedAt: number
  generation: number
  /** How many workers should serve, and how many do. */
  target: number
  serving: number
  /** How many workers should be booted and held back, and how many are. */
  spare: { target: number; ready: number }
  /** Where the load decides about the target. */
  scaling: ScalingStatus | undefined
  /** How many places of workers wait after failures until they launch again. */
  waiting: number
  /** The services: how many processes of each should run, how many do, and how many places wait after failures. */
  services: { name: string; target: number; serving: number; waiting: number }[]
  /** The generation that a rollback would go back to. */
  rollback: number | undefined
  /** Where a running reload is. */
  roll: { generation: number; kind: RollKind; phase: string; canary?: CanaryFigures | undefined } | undefined
  /** Whether the workers of the generation that serves are forked from a mold. */
  forked: boolean
  /** Whether processes can be forked: @mapache/native is there, and was found to work. */
  canFork: boolean
  stopping: boolean
  addresses: BoundAddress[]
  processes: ProcessInfo[]
  /** The last ten bad ends of processes, newest first. */
  crashes: Crash[]
}

export interface ReloadOptions {
  /**
   * The old workers stop to answer before the new ones are launched, and what arrives meanwhile waits for those: for
   * development, where an old answer is a wrong one. If the new code does not serve, nothing does, but the fallback of a
   * module. Default: new before old.
   */
  oldFirst?: boolean
  /**
   * The first new worker serves for `soak` ms beside the old ones, and is compared with them: in place of the option
   * `canary`, which says what is left out here; `false` does without for once. Not with `oldFirst`.
   */
  canary?: CanaryOptions | false | undefined
}

export interface ReloadResult {
  generation: number
  /** From the request until the new generation serves and the old one retires, ms. */
  duration: number
  /** How it held out as a canary, if it was one; `enough` says whether there was traffic enough to tell. */
  canary?: CanaryFigures
}

/** The cluster's events, by name, with what they carry. */
export interface ClusterEvents {
  /** The supervisor is there; nothing is launched yet. */
  start: [{ generation: number }]
  /** The first worker serves. */
  listening: [{ addresses: readonly BoundAddress[] }]
  'worker:launch': [ProcessInfo]
  'worker:ready': [ProcessInfo]
  'worker:serving': [ProcessInfo]
  'worker:retire': [ProcessInfo & { reason: EndReason }]
  'worker:exit': [ExitEvent]
  'worker:vitals': [ProcessInfo]
  'service:launch': [ProcessInfo]
  'service:ready': [ProcessInfo]
  'service:serving': [ProcessInfo]
  'service:retire': [ProcessInfo & { reason: EndReason }]
  'service:exit': [ExitEvent]
  'mold:launch': [ProcessInfo]
  'mold:ready': [ProcessInfo]
  'mold:serving': [ProcessInfo]
  'mold:retire': [ProcessInfo & { reason: EndReason }]
  'mold:exit': [ExitEvent]
  'task:launch': [ProcessInfo]
  'task:ready': [ProcessInfo]
  'task:serving': [ProcessInfo]
  'task:retire': [ProcessInfo & { reason: EndReason }]
  'task:exit': [ExitEvent]
  /** The process of a set-up is launched. */
  'setup:start': [{ generation: number }]
  'setup:done': [ReloadResult]
  'setup:failed': [{ generation: number; error: MapacheError }]
  'reload:start': [{ generation: number; kind: RollKind }]
  /** The first worker of the new generation is a canary: it serves beside the old ones for `soak` ms and is compared. */
  'reload:soaking': [{ generation: number; soak: number }]
  /** The canary is no worse than the old generation. */
  'reload:soaked': [{ generation: number; canary: CanaryFigures }]
  /** The first worker of the new generation has proved itself; the others follow. */
  'reload:settled': [{ generation: number }]
  'reload:done': [ReloadResult]
  'reload:failed': [{ generation: number; phase: string; error: MapacheError }]
  /**
   * A generation lost too many workers to crashes, and the one before it is on its way back; or its `canary` was worse than
   * that, which serves on.
   */
  'reload:rolledback': [
    { generation: number; to: number; crashes: number; canary?: CanaryFigures | undefined; error: Error }
  ]
  /** The app does not boot, or has crashed, and the fallback of a module serves in its place until the next reload. */
  'app:failed': [{ generation: number; phase: 'boot' | 'crash'; error: Error }]
  /** Workers of a generation end badly one after the other: from now on they are launched one at a time, until it is calm. */
  'crash:storm': [{ generation: number; crashes: number; within: number }]
  /** How many workers should serve has changed: somebody asked for it, or the load did. */
  scale: [{ workers: number; reason: 'asked' | 'load' }]
  /** A line of Mapache's own log. */
  log: [LogLine]
  stop: [{ mode: 'graceful' | 'now' }]
  stopped: []
}

export type ExitEvent = ProcessInfo & {
  reason: EndReason
  /** It ended badly: its end was not chosen for it, or it was killed for a fault. */
  failed: boolean
  code: number | null
  signal: string | null
  drained: DrainedData | undefined
  /** What ended it, if it failed. */
  error?: Error
}

/**
 * The running cluster, in each role. Outside of the supervisor all that it does are requests to the supervisor: in workers
 * allowed by `control: true`, in services by that of their own specification. Events arrive there from the first listener
 * on, and `generation`, `workers` and `addresses` are as the last `status()` told; in a worker they are its own.
 */
export interface Cluster extends EventEmitter<ClusterEvents> {
  readonly role: 'supervisor' | 'worker' | 'service' | 'operator'
  /** The generation that serves; in a worker, its own. */
  readonly generation: number
  readonly workers: readonly ProcessInfo[]
  /** Where it listens; a port 0 is the real one here. */
  readonly addresses: readonly BoundAddress[]
  /**
   * Replaces all workers with new ones from disk, new before old unless `oldFirst`, which drops a reload that runs or waits.
   * @returns when the new generation serves and the old one retires
   * @throws MAPACHE_OPTION_INVALID; MAPACHE_CANARY_FAILED, with the `figures` of both: it was worse than the old workers;
   *   MAPACHE_SETUP_FAILED, MAPACHE_BOOT_FAILED, MAPACHE_BOOT_TIMEOUT, MAPACHE_SETTLE_FAILED, MAPACHE_ENTRY_MISSING, MAPACHE_ENV_FILE: the
   *   old workers serve on (with `oldFirst` none, but the fallback of a module); `cause` is the app's error. MAPACHE_RELOAD_SUPERSEDED, MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED.
   */
  reload(options?: ReloadOptions): Promise<ReloadResult>
  /**
   * Keeps a process ready in which modules are loaded: from then on workers come from it, and load the rest. Where
   * processes can be forked it is a mold, and each worker a fork of it; else it becomes the next worker itself, and another
   * takes its place. Called again it prepares another beside the one in use.
   * @param modules URLs are imported, paths are required, in their order
   * @param how `standby` does not fork even where that can be done
   * @returns when it is ready: how workers come from it
   * @throws MAPACHE_MOLD_UNCLEAN when it holds what must not be forked, or a module fails: `open` says what and by whom;
   *   MAPACHE_BOOT_FAILED, MAPACHE_RELOAD_SUPERSEDED by another call, MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED in a worker
   */
  prime(modules: readonly string[], how?: 'auto' | 'standby'): Promise<{ how: 'fork' | 'standby' }>
  /**
   * Replaces all workers with forks of a warm one: it is drained, its app closed, and it becomes the mold of a new
   * generation of the same code.
   * @throws MAPACHE_REFORK_UNSUPPORTED for workers that were spawned; MAPACHE_REFORK_FAILED when none could become a mold;
   *   MAPACHE_RELOAD_SUPERSEDED, MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED
   */
  refork(): Promise<ReloadResult>
  /**
   * Forks the generation before back from its mold, which is kept for `rollbackWindow`, even when its files are gone; calls
   * a running reload back.
   * @throws MAPACHE_ROLLBACK_UNAVAILABLE, MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED
   */
  rollback(): Promise<ReloadResult>
  /**
   * Changes how many workers serve. A number stays, whatever the load is; `'auto'` gives it back to the option `workers`.
   * @returns when the new number is the target; `status()` tells when it is reached
   * @throws MAPACHE_OPTION_INVALID, MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED
   */
  scale(workers: number | 'auto'): Promise<void>
  /**
   * Replaces one worker or service, as a reload would: its replacement first, but of a service that may not overlap.
   * @param id as in `status()`
   * @returns when it retires
   * @throws MAPACHE_PROCESS_UNKNOWN; MAPACHE_BOOT_FAILED when `bootAttempts` replacements in a row failed: it serves on, and
   *   `cause` is the last one's error; MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED
   */
  recycle(id: number): Promise<void>
  /**
   * Launches at once what waits after failures.
   * @returns how many places waited
   * @throws MAPACHE_STOPPING, MAPACHE_CONTROL_DENIED
   */
  revive(): Promise<number>
  /**
   * The last lines of Mapache's own log, from level info on, oldest first.
   * @param lines how many at the most; default 100, and no more than 1,000 are kept
   */
  tail(lines?: number): Promise<LogLine[]>
  /**
   * Stops the cluster: workers answer what was accepted, then everything is gone.
   * @param mode `now` ends without finishing
   * @returns when no process is left; in a worker or service, at once
   * @throws MAPACHE_CONTROL_DENIED
   */
  stop(mode?: 'graceful' | 'now'): Promise<void>
  status(): Promise<ClusterStatus>
}
