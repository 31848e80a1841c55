import { pathToFileURL } from 'node:url'
import { expandLocalhost, type ListenAddress, type ListenArgs, type ListenCallback, parseListen } from './address.js'
import type { BoundAddress, Cluster, ProcessInfo } from './cluster.js'
import { MapacheError } from './errors.js'
import { findModuleFile } from './module-file.js'
import { observed } from './observed.js'
import { type MapacheOptions, normaliseOptions, reportedOptions } from './options.js'
import { RemoteCluster } from './remote-cluster.js'
import { TASKS, type TaskName, type Tasks } from './setup.js'
import { type EntrySource, logicalCwd, ownEntry, workerExecArgv } from './supervisor/entry.js'
import { supervise } from './supervisor/start.js'
import { checkFactory, EXPORTED, type Factory, loadFactory } from './worker/factory.js'
import { checkOf } from './worker/health.js'
import { currentRuntime, type Runtime } from './worker/registry.js'
import { runOwn } from './worker/task.js'

/** How apps of one framework are served. A module that exports one as `adapter` can be named by URL. */
export interface Adapter<App, Options extends object = object> {
  readonly name: string
  /** URL of the module that exports this adapter as `adapter`: workers in the module form import it. */
  readonly module: string
  /** Options that are the adapter's own. */
  readonly options: readonly string[]
  /** Whether its `listen` serves `localhost` on both families by itself. */
  readonly expandsLocalhost?: boolean
  /**
   * Makes the app ready to be served.
   * @throws MAPACHE_FACTORY_INVALID when it is none of the framework's
   */
  open(app: App, options: Options): Opened | Promise<Opened>
}

/** An app that can be served. */
export interface Opened {
  /** Listens on one address more. @returns the port, where there is one */
  listen(address: ListenAddress): Promise<{ port?: number }>
  /** The framework's own close. Called after the drain, when no connection is left. */
  close(): unknown
}

/** What the functions that make a cluster of an app return. */
export interface Listenable {
  /**
   * Starts the cluster: this is the moment when the process becomes its supervisor. In a worker: serves the app.
   * Takes what `server.listen` takes, or an array of addresses.
   * @returns the cluster, when its first worker serves. In a service whose function the app's own script has: never
   * @throws MAPACHE_LISTEN_INVALID, MAPACHE_ADDRESS_IN_USE, MAPACHE_ADDRESS_DENIED, MAPACHE_ADDRESS_UNAVAILABLE,
   *   MAPACHE_SETUP_FAILED, MAPACHE_BOOT_FAILED, MAPACHE_BOOT_TIMEOUT, MAPACHE_ENTRY_MISSING, MAPACHE_ENV_FILE, MAPACHE_NODE_VERSION,
   *   MAPACHE_UNSUPPORTED_PLATFORM, MAPACHE_IN_CLUSTER, MAPACHE_ALREADY_LISTENING, MAPACHE_CHANNEL_FOLDER,
   *   MAPACHE_MODULE_INVALID, MAPACHE_OPTION_INVALID, MAPACHE_FACTORY_INVALID. If nobody waits for the promise, the error is printed and the
   *   process exits with code 1.
   */
  listen(...args: ListenArgs): Promise<Cluster>
}

/**
 * Makes a cluster of an app: what `mapacheHttp`, `mapacheExpress` and `mapacheFastify` are made with.
 * @param factory a function that returns the app, or the path or URL of a module whose default export is one
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_FACTORY_INVALID
 */
export function makeListenable<App, Options extends object>(
  adapter: Adapter<App, Options>,
  factory: Factory<App> | string | URL,
  options: Options
): Listenable {
  const settings = normaliseOptions(options, adapter.options)
  const source = typeof factory === 'function' ? undefined : moduleSource(adapter, factory, options)
  if (!source) checkFactory(factory)
  // In a worker of an entry that the supervisor does not load: there a module is loaded as any other.
  const load = async () => (source?.module ? loadFactory(source.module.factory) : { factory, options: {} })
  const inWorker = async (args: readonly unknown[]) => {
    const loaded = await load()
    currentRuntime()?.needSetup((loaded.options as Tasks).setup)
    return serveInWorker(adapter, loaded.factory, { ...options, ...loaded.options }, args)
  }
  return {
    listen: (...args) => {
      const { callback } = args.length === 0 ? {} : { callback: args.findLast((arg) => typeof arg === 'function') }
      const run = async (): Promise<Cluster> => {
        const { addresses } = parseListen(args)
        const runtime = currentRuntime()
        // Whether or not the app's code catches it, a worker that cannot serve has failed to boot.
        if (runtime?.role === 'task')
          return runOwn(runtime, { ...settings, ...((await load()).options as Tasks) }) as never
        if (runtime?.role === 'service') return runOwn(runtime, settings) as never
        runtime?.needSetup(settings.setup)
        if (runtime) return runtime.serve(() => inWorker(args).catch((error) => runtime.fail(error)))
        const entry = source ?? ownEntry()
        const module = entry.module && { ...entry.module, listen: [addresses] }
        return supervise({ source: { ...entry, ...(module ? { module } : {}) }, settings, addresses })
      }
      return observed(run(), callback as ListenCallback | undefined)
    }
  }
}

/**
 * Serves an app in a worker.
 * @param args of `listen`
 * @throws MAPACHE_FACTORY_INVALID, or what the factory throws
 */
export async function serveInWorker<App, Options extends object>(
  adapter: Adapter<App, Options>,
  factory: unknown,
  options: Options,
  args: readonly unknown[]
): Promise<Cluster> {
  const runtime = currentRuntime() as Runtime
  let close: Opened['close'] = () => {}
  const { warmup, teardown, health } = options as MapacheOptions
  runtime.manage(reportedOptions(options), () => close(), { warmup, teardown: teardown !== undefined })
  const app = await checkFactory<App>(factory)()
  if (app === undefined || app === null) {
    throw new MapacheError(
      'MAPACHE_FACTORY_INVALID',
      `the ${adapter.name} factory returned ${app}; it must return the app`
    )
  }
  if (health) runtime.handle.addCheck(checkOf(health, app))
  const opened = await adapter.open(app, options)
  close = () => opened.close()
  for (const address of parseListen(args).addresses) {
    let port: number | undefined
    for (const one of adapter.expandsLocalhost ? [address] : await expandLocalhost(address)) {
      try {
        const bound = await opened.listen(port === undefined ? one : { ...one, port })
        port ??= bound.port
      } catch (error) {
        // localhost may name a family that this machine does not have.
        const missing = (error as MapacheError).code === 'MAPACHE_ADDRESS_UNAVAILABLE'
        if (!missing || port === undefined) throw error
      }
    }
  }
  runtime.serving()
  return new WorkerCluster(runtime)
}

/** The cluster as a worker sees it. */
export class WorkerCluster extends RemoteCluster {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    super('worker', runtime)
    this.#runtime = runtime
  }

  override get generation(): number {
    return this.#runtime.handle.generation
  }

  override get addresses(): readonly BoundAddress[] {
    return this.#runtime.addresses
  }

  override get workers(): readonly ProcessInfo[] {
    const { id, generation } = this.#runtime.handle
    const own = { id, generation, role: 'worker', name: '', place: 0, state: 'serving', pid: process.pid } as const
    const unknown = { reason: undefined, vitals: undefined, memory: undefined }
    return [{ ...own, age: 0, inState: 0, failures: 0, ...unknown }]
  }
}

/** In the module form the supervisor does not load the app, and workers load nothing but the factory's module. */
function moduleSource(adapter: Adapter<never, never>, factory: string | URL, options: object): EntrySource {
  const cwd = logicalCwd()
  const file = findModuleFile(factory, cwd)
  if (file === undefined) {
    throw new MapacheError('MAPACHE_FACTORY_INVALID', `the factory's module ${String(factory)} does not exist`)
  }
  const { setup, teardown } = options as Tasks
  for (const name of EXPORTED) {
    const given = (options as { [name]?: unknown })[name]
    // A task may be a module of its own, too.
    if (given === undefined || (typeof given !== 'function' && TASKS.includes(name as TaskName))) continue
    const text = `${name} is a function and cannot reach the workers of a module; export it from the module as \`${name}\``
    throw new MapacheError('MAPACHE_OPTION_INVALID', text)
  }
  const factoryUrl = pathToFileURL(file).href
  return {
    // Of services whose function it has.
    script: process.argv[1] ?? '',
    args: process.argv.slice(2),
    execArgv: workerExecArgv(process.execArgv),
    cwd,
    tasks: { setup, teardown },
    module: { file, factory: factoryUrl, adapter: adapter.module, listen: [], options: reportedOptions(options) }
  }
}
