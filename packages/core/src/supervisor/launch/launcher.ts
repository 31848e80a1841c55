import type { Listener } from '../listeners.js'

/** What runs in the new process. */
export interface LaunchSpec {
  role: 'worker' | 'service'
  id: number
  /** The service's name, else empty. */
  name: string
  generation: number
  /** The main script; the runtime is loaded ahead of it. */
  main: string
  args: readonly string[]
  execArgv: readonly string[]
  cwd: string
  env: NodeJS.ProcessEnv
  token: string
  channel: string
  folder: string
  cluster: string
  listeners: readonly Listener[]
  /** In the module form: the factory's module and how to serve it. */
  module?: ModuleForm
}

/** The module form: what a worker imports in place of the user's entry. */
export interface ModuleForm {
  /** URL of the module whose default export is the factory (or, for a service, what runs it). */
  factory: string
  /** URL of the module that exports the `adapter`; services have none. */
  adapter?: string
  /** The arguments of `listen`, less the callback. */
  listen: unknown[]
  options: object
}

/** What the runtime in the new process reads from its environment, once. */
export interface LaunchInfo {
  protocol: number
  role: 'worker' | 'service'
  id: number
  name: string
  generation: number
  token: string
  channel: string
  folder: string
  cluster: string
  supervisor: number
  /** Inherited descriptors by address key. */
  listeners: { key: string; fd: number; address: Listener['address'] }[]
  module?: ModuleForm
}

/** A process that was launched. */
export interface Launched {
  /** Undefined when it could not be started; `onExit` tells why. */
  readonly pid: number | undefined
  kill(signal: NodeJS.Signals): void
  /** Passes a bound handle to the running process. */
  sendListener(key: string, listener: Listener): Promise<void>
}

/** How it ended: an exit code, a signal, or the error that kept it from starting. */
export interface ExitStatus {
  code: number | null
  signal: NodeJS.Signals | null
  error?: Error
}

/** Starts processes. One implementation spawns; another may fork a mold. */
export interface Launcher {
  launch(spec: LaunchSpec, onExit: (status: ExitStatus) => void): Launched
}

/** The environment variable that carries the `LaunchInfo`. Removed by the runtime before the app can see it. */
export const LAUNCH_VARIABLE = 'MAPACHE_LAUNCH'
/** Node's IPC hides messages whose `cmd` begins like this from the app's own listeners. */
export const HANDLE_COMMAND = 'NODE_MAPACHE_LISTENER'
