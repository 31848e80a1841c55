import path from 'node:path'
import { MapacheError } from '@mapache/core'
import { normaliseOptions, superviseEntry } from '@mapache/core/adapter'
import { chooseLoader, dev as devMode, type Loader, type Strategy, Terminal } from '@mapache/dev'
import { nameOf } from './entry.js'
import { entryIsThere } from './entry-missing.js'
import { parseInspect } from './inspect-address.js'

/** The flags of `mapache dev`, as they were written. */
export interface DevFlags {
  strategy?: string
  watch?: string[]
  refresh?: boolean
  inspect?: string
  poll?: boolean
  name?: string
  envFile?: string
  logLevel?: string
}

/**
 * `mapache dev <entry>`: runs the entry in one worker and reloads it when a file changes.
 * @throws MAPACHE_OPTION_INVALID for wrong arguments, MAPACHE_LOADER_MISSING, and what a start can throw
 */
export async function dev([entry, ...rest]: [string?, ...string[]], flags: DevFlags): Promise<undefined> {
  if (entry === undefined) throw invalid('dev needs an entry: mapache dev server.js')
  const file = path.resolve(entry)
  const { strategy = 'auto', watch = [], refresh = false, poll = false, envFile } = flags
  if (!STRATEGIES.includes(strategy))
    throw invalid(`--strategy must be auto, fork, standby or restart, got ${strategy}`)
  const inspect = flags.inspect === undefined ? undefined : parseInspect(flags.inspect)
  const question = { entry: file, cwd: process.cwd() }
  const terminal = new Terminal({ cwd: process.cwd() })
  await entryIsThere(entry, terminal)
  let loader = chooseLoader(question)
  if (loader.loader === 'tsx') terminal.note(`TypeScript by tsx: ${loader.why}`)
  // Also for one that is taken later on.
  Object.assign(process.env, environmentOf(question))
  const threads = loader.loader === 'tsx' && strategy === 'auto'
  const module = devMode({
    entry: file,
    // A loader may have threads, which a fork does not.
    strategy: (threads ? 'standby' : strategy) as Strategy,
    watch: [...watch, ...(envFile === undefined ? [] : [envFile])],
    refresh,
    poll,
    terminal,
    ahead: modulesOf(loader),
    transform: () => {
      loader = chooseLoader({ ...question, transform: true })
      return modulesOf(loader)
    },
    ...(inspect ? { inspect } : {})
  })
  const settings = normaliseOptions({
    name: flags.name ?? nameOf(entry),
    workers: 1,
    settle: 0,
    drainTimeout: DRAIN_TIMEOUT,
    // Whoever debugs stops the worker for as long as it takes.
    bootTimeout: inspect ? LONGEST : BOOT_TIMEOUT,
    hangTimeout: inspect ? 0 : HANG_TIMEOUT,
    rollbackWindow: 0,
    ...(envFile === undefined ? {} : { envFile }),
    modules: [module],
    log: { level: flags.logLevel ?? 'silent' }
  })
  const native = findNative()
  await superviseEntry({
    entry,
    args: rest,
    settings,
    fixed: {},
    execArgv: () => loader.execArgv,
    ...(native ? { native } : {}),
    ...(process.stdout.isTTY ? { output: printBy(terminal) } : {})
  })
  return undefined
}

function printBy(terminal: Terminal) {
  return (chunk: Buffer | undefined, source: string) => {
    if (chunk) terminal.log(chunk, source)
    else terminal.logEnd(source)
  }
}

/** What a loader needs in the environment: of the workers, that is, which have it from here. */
function environmentOf(question: Parameters<typeof chooseLoader>[0]): Record<string, string> {
  try {
    return chooseLoader({ ...question, transform: true }).env
  } catch {
    // There is none, and maybe none is needed.
    return {}
  }
}

/** What the arguments of Node.js load. */
function modulesOf({ execArgv }: Loader): string[] {
  return execArgv.filter((arg) => arg.startsWith('file:'))
}

/** The command brings it as an optional dependency, so that development forks without any ado. */
function findNative(): string | undefined {
  try {
    return import.meta.resolve('@mapache/native')
  } catch {
    return undefined
  }
}

function invalid(text: string): MapacheError {
  return new MapacheError('MAPACHE_OPTION_INVALID', text)
}

const STRATEGIES: readonly string[] = ['auto', 'fork', 'standby', 'restart']
/** Milliseconds. */
const DRAIN_TIMEOUT = 5_000
const BOOT_TIMEOUT = 10_000
const HANG_TIMEOUT = 30_000
const LONGEST = 2 ** 31 - 1
