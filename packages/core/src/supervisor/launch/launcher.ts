import { PROTOCOL_VERSION } from '../../channel/messages.js'
import type { Failure } from '../../modules.js'
import type { Listener } from '../listeners.js'

/** What runs in the new process. */
export interface LaunchSpec {
  role: 'worker' | 'service' | 'mold' | 'task'
  id: number
  /** The service's or the task's name, else empty. */
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
  /** Where to import @mapache/native from, where the app has it and it is used. */
  native?: string
  /** Of a mold: what it loads before the entry, and whether timers make it unclean. */
  preload?: readonly string[]
  strict?: boolean
  /** Of a mold that is forked from another: it is warmed up first. */
  warm?: boolean
  /** Of a base: what it loads, in place of the main script, before it waits. */
  base?: BaseForm
  /** Whether the environment is handed over, because the process it comes from may have an older one. */
  fresh?: boolean
  /** URLs of what is loaded ahead of the main script. */
  imports?: readonly string[]
  /** Whether somebody else tells the person at the terminal what ended it. */
  quiet?: boolean
  /** Gets what is printed, in place of the supervisor's own streams. */
  output?: Output
  /** What serves in place of the app, and what it is told. */
  fallback?: FallbackForm
  /**
   * Why it is not to ask for a set-up: there was one, or it comes too late for one; or the code was asked, and was not found
   * to have one.
   */
  setUp?: 'ran' | 'not-found'
  /** Of a task: the folder of the lock that it takes. */
  lock?: string
}

/** Takes what processes print; `source` tells their streams apart. Without a chunk the stream has ended. */
export type Output = (chunk: Buffer | undefined, source: string) => void

/** What a process loads that workers of any generation come from. */
export interface BaseForm {
  /** URLs are imported, paths are required, in their order. */
  modules: readonly string[]
  how: 'fork' | 'standby'
}

/** What a worker runs in place of the app. */
export interface FallbackForm {
  /** URL of the module. */
  module: string
  failure: Failure
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

/** What the runtime in the new process reads, once: from its environment, or from the mold's request to fork it. */
export interface LaunchInfo {
  protocol: number
  role: LaunchSpec['role']
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
  native?: string
  preload?: readonly string[]
  strict?: boolean
  warm?: boolean
  /** How workers come from the base that this is, and the descriptor with the list of its modules. */
  base?: { how: BaseForm['how']; list?: number }
  /** The environment, where it is not the process's own already. */
  env?: NodeJS.ProcessEnv
  quiet?: boolean
  imports?: readonly string[]
  fallback?: FallbackForm
  setUp?: LaunchSpec['setUp']
  lock?: string
  /** The socket on which further descriptors arrive; without it they come by Node's IPC. */
  descriptors?: number
}

/** @param firstListener the descriptor of the first listener; the others follow it */
export function launchInfo(spec: LaunchSpec, firstListener: number): LaunchInfo {
  const { role, id, name, generation, token, channel, folder, cluster, module, native, preload, strict, warm } = spec
  const { base, fresh, env, quiet, imports, fallback, setUp, lock } = spec
  return {
    protocol: PROTOCOL_VERSION,
    role,
    id,
    name,
    generation,
    token,
    channel,
    folder,
    cluster,
    supervisor: process.pid,
    listeners: spec.listeners.map(({ key, address }, index) => ({ key, address, fd: firstListener + index })),
    ...(module ? { module } : {}),
    ...(native ? { native } : {}),
    ...(preload ? { preload } : {}),
    ...(strict ? { strict } : {}),
    ...(warm ? { warm } : {}),
    ...(base ? { base: { how: base.how } } : {}),
    ...(fresh ? { env } : {}),
    ...(quiet ? { quiet } : {}),
    ...(imports?.length ? { imports } : {}),
    ...(fallback ? { fallback } : {}),
    ...(setUp ? { setUp } : {}),
    ...(lock ? { lock } : {})
  }
}

/** A process that was launched. */
export interface Launched {
  /** Undefined until it is known, and when it could not be started: then `exited` tells why. */
  readonly pid: number | undefined
  kill(signal: NodeJS.Signals): void
  /** Passes a bound handle to the running process. */
  sendListener(key: string, listener: Listener): Promise<void>
  /** The supervisor's end of the socket for descriptors, where there is one. */
  readonly descriptors?: number
}

/** How it ended: an exit code, a signal, or the error that kept it from starting. */
export interface ExitStatus {
  code: number | null
  signal: NodeJS.Signals | null
  error?: Error
  /** It has not ended, but is another's now: a standby process became a worker. */
  released?: true
}

/** What becomes of a process; each is called once at most, and never within `launch`. */
export interface LaunchEvents {
  started?(pid: number): void
  exited(status: ExitStatus): void
}

/** Starts processes as new programs. Workers may also be forked: see mold.ts. */
export interface Launcher {
  launch(spec: LaunchSpec, events: LaunchEvents): Launched
}

/** The environment variable that carries the `LaunchInfo`. Removed by the runtime before the app can see it. */
export const LAUNCH_VARIABLE = 'MAPACHE_LAUNCH'
/** Node's IPC hides messages whose `cmd` begins like this from the app's own listeners. */
export const HANDLE_COMMAND = 'NODE_MAPACHE_LISTENER'
