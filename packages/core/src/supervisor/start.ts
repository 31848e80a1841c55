import path from 'node:path'
import type { ListenAddress } from '../address.js'
import { checkEnvironment } from '../environment.js'
import { MapacheError } from '../errors.js'
import { makeLogger } from '../log.js'
import { resolveModules } from '../modules.js'
import type { ReportedOptions, Settings } from '../options.js'
import { bindAddresses } from './addresses.js'
import { type EntrySource, namedEntry } from './entry.js'
import { ChannelFolder, isAlive, sweepFolders } from './folder.js'
import { prepareForking } from './launch/forking.js'
import type { Output } from './launch/launcher.js'
import { spawnLauncher } from './launch/spawn.js'
import { Listeners } from './listeners.js'
import { tasksFromOutside } from './setup.js'
import { installSignals } from './signals.js'
import { Supervisor, type SupervisorParts } from './supervisor.js'

/** What a cluster is started from. */
export interface Start {
  source: EntrySource
  settings: Settings
  /** Addresses known already; others are asked for by the workers. */
  addresses: readonly ListenAddress[]
  /** Options that the app's code does not change: those of the command line. */
  fixed?: ReportedOptions
  /** URL of @mapache/native for an app that has none of its own. */
  native?: string
  /** Gets what workers print, in place of this process's own streams. */
  output?: Output
}

let running = false

/**
 * Makes this process a supervisor: binds, starts the workers, takes the signals.
 * @returns the cluster, once its first worker serves
 * @throws any of MAPACHE_NODE_VERSION, MAPACHE_UNSUPPORTED_PLATFORM, MAPACHE_IN_CLUSTER, MAPACHE_ALREADY_LISTENING,
 *   MAPACHE_MODULE_INVALID, MAPACHE_CHANNEL_FOLDER, MAPACHE_ADDRESS_*, MAPACHE_ENTRY_MISSING, MAPACHE_ENV_FILE,
 *   MAPACHE_SETUP_FAILED, MAPACHE_BOOT_FAILED, MAPACHE_BOOT_TIMEOUT, MAPACHE_FORK_UNAVAILABLE, MAPACHE_MOLD_UNCLEAN: then nothing is left running or behind
 */
export async function supervise({
  source,
  settings,
  addresses,
  fixed = {},
  native,
  output
}: Start): Promise<Supervisor> {
  checkEnvironment()
  if (running) {
    throw new MapacheError('MAPACHE_ALREADY_LISTENING', 'this process is a supervisor already; listen() takes an array')
  }
  running = true
  try {
    const modules = resolveModules(settings.modules, source.cwd, settings.services)
    const name = settings.name ?? (path.basename(source.cwd) || 'app')
    const leaving = await sweepFolders()
    const log = makeLogger(settings.log)
    // Who primes decides about what is forked, too.
    const boot = modules.primes === undefined ? settings.boot : BOOT[modules.primes]
    const molds = await prepareForking(source, boot, log, native)
    const parts: SupervisorParts = {
      name,
      source,
      settings,
      modules,
      folder: new ChannelFolder(name),
      listeners: new Listeners(),
      launcher: spawnLauncher,
      ...(molds ? { molds } : {}),
      log,
      leaving: () => leaving.some(isAlive),
      env: { ...process.env },
      fixed,
      ...(output ? { output } : {})
    }
    return await run(parts, addresses)
  } catch (error) {
    running = false
    throw error
  }
}

async function run(parts: SupervisorParts, addresses: readonly ListenAddress[]): Promise<Supervisor> {
  const { listeners, folder, log, name, leaving } = parts
  const supervisor = new Supervisor(parts)
  let restoreSignals = () => {}
  try {
    await bindAddresses(listeners, addresses, leaving)
    folder.noteSockets(listeners.sockets)
    await supervisor.channel.listen(folder.socket)
    restoreSignals = installSignals(supervisor, (code) => process.exit(code))
    supervisor.once('stopped', () => {
      restoreSignals()
      running = false
    })
    process.title = `mapache supervisor ${name}`
    log.info(
      `mapache supervisor pid=${process.pid} name=${name} workers=${supervisor.plan.settings.workers}; SIGHUP reloads`
    )
    if (process.pid === 1) {
      log.warn('running as PID 1, and Node does not reap orphans of orphans: run the container with --init')
    }
    if (process.execArgv.some((arg) => arg.startsWith('--inspect'))) {
      log.info('the inspector stays with the supervisor; to debug a worker send it SIGUSR1')
    }
    await supervisor.start()
    return supervisor
  } catch (error) {
    // A start that failed before any process ran has nobody to wait for; this ends the rest alike.
    await supervisor.stop('now')
    throw error
  }
}

/** A cluster of an entry that this process does not load: `mapache start`. */
export interface EntryStart {
  entry: string
  args: readonly string[]
  settings: Settings
  fixed: ReportedOptions
  /** Arguments for Node that workers get beside those of this process; asked for at each launch. */
  execArgv?: () => readonly string[]
  /** As in `Start`. */
  native?: string
  output?: Output
}

/**
 * Makes this process the supervisor of an entry that it does not load.
 * @throws MAPACHE_ENTRY_MISSING when it is no file; MAPACHE_OPTION_INVALID for a service with `run` and for a function as
 *   `setup` or `teardown`; and as `supervise`
 */
export async function superviseEntry({ entry, args, execArgv, ...rest }: EntryStart): Promise<Supervisor> {
  const named = namedEntry(entry, args)
  const run = rest.settings.services.findIndex((service) => service.run)
  if (run !== -1) {
    const text = `services[${run}].run: the function cannot reach the service's process from here; give an entry`
    throw new MapacheError('MAPACHE_OPTION_INVALID', text)
  }
  const source: EntrySource = {
    ...named,
    tasks: tasksFromOutside(rest.settings, 'give the path of a module'),
    get execArgv() {
      return [...named.execArgv, ...(execArgv?.() ?? [])]
    }
  }
  return supervise({ source, addresses: [], ...rest })
}

const BOOT = { auto: 'auto', fork: 'fork', standby: 'spawn' } as const
