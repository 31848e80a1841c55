import path from 'node:path'
import { parseArgs } from 'node:util'
import { type Cluster, MapacheError } from '@mapache/core'
import { normaliseOptions, superviseEntry } from '@mapache/core/adapter'
import { chooseLoader, dev as devMode, type Loader, type Strategy, Terminal } from '@mapache/dev'
import { nameOf, split } from './entry.js'
import { entryIsThere } from './entry-missing.js'

/**
 * `mapache dev <entry>`: runs the entry in one worker and reloads it when a file changes.
 * @throws MAPACHE_OPTION_INVALID for wrong arguments, MAPACHE_LOADER_MISSING, and what a start can throw
 */
export async function dev(args: string[]): Promise<Cluster> {
  const { own, entry, rest } = split(args, { ...OPTIONS, inspect: { type: 'boolean' } })
  const values = parse(own.map(withInspectAddress))
  if (entry === undefined) throw invalid('dev needs an entry: mapache dev server.js')
  const file = path.resolve(entry)
  const { strategy = 'auto', watch = [], refresh = false, poll = false } = values
  if (!STRATEGIES.includes(strategy))
    throw invalid(`--strategy must be auto, fork, standby or restart, got ${strategy}`)
  const envFile = values['env-file']
  const inspect = values.inspect === undefined ? undefined : parseInspect(values.inspect)
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
    name: values.name ?? nameOf(entry),
    workers: 1,
    settle: 0,
    drainTimeout: DRAIN_TIMEOUT,
    // Whoever debugs stops the worker for as long as it takes.
    bootTimeout: inspect ? LONGEST : BOOT_TIMEOUT,
    hangTimeout: inspect ? 0 : HANG_TIMEOUT,
    rollbackWindow: 0,
    ...(envFile === undefined ? {} : { envFile }),
    modules: [module],
    log: { level: values['log-level'] ?? 'silent' }
  })
  const native = findNative()
  return superviseEntry({
    entry,
    args: rest,
    settings,
    fixed: {},
    execArgv: () => loader.execArgv,
    ...(native ? { native } : {}),
    ...(process.stdout.isTTY ? { output: printBy(terminal) } : {})
  })
}

const OPTIONS = {
  strategy: { type: 'string' },
  watch: { type: 'string', multiple: true },
  refresh: { type: 'boolean' },
  inspect: { type: 'string' },
  poll: { type: 'boolean' },
  name: { type: 'string' },
  'env-file': { type: 'string' },
  'log-level': { type: 'string' }
} as const

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

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values
  } catch (cause) {
    throw invalid((cause as Error).message, cause)
  }
}

/** As with Node, the address is left out more often than not. */
function withInspectAddress(arg: string): string {
  return arg === '--inspect' ? `--inspect=${INSPECT.host}:${INSPECT.port}` : arg
}

function parseInspect(text: string): { host: string; port: number } {
  const [, host = INSPECT.host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) throw invalid(`--inspect must be [host:]port, got ${text}`)
  return { host, port: Number(port) }
}

/** The command brings it as an optional dependency, so that development forks without any ado. */
function findNative(): string | undefined {
  try {
    return import.meta.resolve('@mapache/native')
  } catch {
    return undefined
  }
}

function invalid(text: string, cause?: unknown): MapacheError {
  return new MapacheError('MAPACHE_OPTION_INVALID', text, cause === undefined ? {} : { cause })
}

const STRATEGIES: readonly string[] = ['auto', 'fork', 'standby', 'restart']
const INSPECT = { host: '127.0.0.1', port: 9229 }
/** Milliseconds. */
const DRAIN_TIMEOUT = 5_000
const BOOT_TIMEOUT = 10_000
const HANG_TIMEOUT = 30_000
const LONGEST = 2 ** 31 - 1
