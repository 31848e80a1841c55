import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseEnv } from 'node:util'
import { MapacheError } from '../errors.js'
import type { TaskName, Tasks } from '../setup.js'
import type { BaseForm, ModuleForm } from './launch/launcher.js'
import { pinTasks } from './setup.js'

/** What the workers of every generation are started from, as the user named it. */
export interface EntrySource {
  /** The script's path, symlinks in it kept: a release folder is switched by switching a symlink. */
  script: string
  args: readonly string[]
  execArgv: readonly string[]
  /** The working directory, symlinks kept. */
  cwd: string
  module?: ModuleForm & { file: string }
  /** Modules of tasks that were named from outside of the app's code: paths from `cwd`, or URLs. */
  tasks?: Tasks
}

/** A generation pinned: what its workers boot, however often. */
export interface PinnedGeneration {
  generation: number
  /** The script's real path; in the module form that of the supervisor's own, for services, as far as it has one. */
  script: string
  cwd: string
  env: NodeJS.ProcessEnv
  module?: ModuleForm
  /** Of a base: the modules that it loads, in place of the script. */
  base?: BaseForm
  /** The tasks that are modules of their own, as URLs; others are looked for in the app's code. */
  tasks: Readonly<Partial<Record<TaskName, string>>>
}

/**
 * The entry that this process itself was started with.
 * @throws MAPACHE_ENTRY_MISSING when it was started from --eval, a REPL or standard input
 */
export function ownEntry(): EntrySource {
  const script = process.argv[1]
  if (script === undefined || process.execArgv.some((arg) => EVAL.test(arg))) {
    throw new MapacheError(
      'MAPACHE_ENTRY_MISSING',
      'workers run the script that this process was started with, and it was started without one (--eval or REPL); ' +
        'write it to a file, or pass the factory as a module'
    )
  }
  const cwd = logicalCwd()
  const inside = path.relative(process.cwd(), script)
  const below = inside !== '' && !inside.startsWith('..') && !path.isAbsolute(inside)
  return {
    script: below ? path.join(cwd, inside) : script,
    args: process.argv.slice(2),
    execArgv: workerExecArgv(process.execArgv),
    cwd
  }
}

/**
 * An entry that is named to a supervisor which does not load it.
 * @throws MAPACHE_ENTRY_MISSING when it is no file
 */
export function namedEntry(entry: string, args: readonly string[]): EntrySource {
  const cwd = logicalCwd()
  const script = path.resolve(cwd, entry)
  if (statSync(realPath(script)).isDirectory()) {
    throw new MapacheError('MAPACHE_ENTRY_MISSING', `${entry} is a folder; name the script in it`)
  }
  return { script, args, execArgv: workerExecArgv(process.execArgv), cwd }
}

/**
 * Pins a generation: resolves symlinks now, once, and reads envFile, so that each of its workers boots the same.
 * @param base the environment that the file adds to; what it has, wins
 * @throws MAPACHE_ENTRY_MISSING, MAPACHE_ENV_FILE
 */
export function pinGeneration(
  generation: number,
  source: EntrySource,
  envFile: string | undefined,
  base: NodeJS.ProcessEnv
): PinnedGeneration {
  const { module } = source
  const script = module ? ownScript(source.script) : realPath(source.script)
  return {
    generation,
    script,
    cwd: realPath(source.cwd),
    env: { ...readEnvFile(envFile, source.cwd), ...base },
    ...(module ? { module: { ...module, factory: pathToFileURL(realPath(module.file)).href } } : {}),
    tasks: pinTasks(source)
  }
}

/**
 * The arguments for Node that workers get too. The inspector stays with the supervisor: each worker would fight for its
 * port, and `--inspect-brk` would stop each before it boots.
 */
export function workerExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < execArgv.length; index += 1) {
    const arg = execArgv[index] as string
    // Node takes --inspect_brk for --inspect-brk.
    const name = arg.replaceAll('_', '-')
    if (!NOT_FOR_WORKERS.test(name)) kept.push(arg)
    else if (TAKES_VALUE.test(name)) index += 1
  }
  return kept
}

/** The environment that workers start from: the supervisor's own, its inspector taken out. */
export function workerEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options, ...rest } = env
  const kept = options === undefined ? '' : workerExecArgv(options.trim().split(/\s+/)).join(' ')
  return kept === '' ? rest : { ...rest, NODE_OPTIONS: kept }
}

/** The working directory as the shell names it: process.cwd() has its symlinks resolved. */
export function logicalCwd(): string {
  const { PWD: named } = process.env
  try {
    if (named && realpathSync(named) === process.cwd()) return named
  } catch {
    // PWD names something else, or nothing.
  }
  return process.cwd()
}

function ownScript(file: string): string {
  try {
    return file && realpathSync(file)
  } catch {
    return ''
  }
}

function realPath(file: string): string {
  try {
    // Node finds server.js for `node server`, too.
    return realpathSync(resolveScript(file))
  } catch (cause) {
    throw new MapacheError('MAPACHE_ENTRY_MISSING', `${file} does not exist or cannot be read`, { cause })
  }
}

function resolveScript(file: string): string {
  try {
    return realpathSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return createRequire(path.join(path.dirname(file), 'noop.js')).resolve(file)
  }
}

function readEnvFile(envFile: string | undefined, cwd: string): NodeJS.Dict<string> {
  if (envFile === undefined) return {}
  const file = path.resolve(cwd, envFile)
  try {
    return parseEnv(readFileSync(file, 'utf8')) as NodeJS.Dict<string>
  } catch (cause) {
    throw new MapacheError('MAPACHE_ENV_FILE', `envFile ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

const EVAL = /^(-e|--eval|-p|--print|-pe|-i|--interactive)(=|$)/
const NOT_FOR_WORKERS = /^--(inspect|debug-port|watch|env-file|test(?!-))/
const TAKES_VALUE =
  /^--(debug-port|inspect-port|inspect-publish-uid|watch-path|watch-kill-signal|env-file|env-file-if-exists)$/
