import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { MapacheError } from '@mapache/core'
import { getTsconfig, type TsConfigResult } from 'get-tsconfig'
import { realPath } from './watch/files.js'

export { needsTransform, transformHint } from './typescript-errors.js'

export interface LoaderQuestion {
  /** The entry's absolute path. */
  entry: string
  /** The folder that workers run in. */
  cwd: string
  /** Default: that of this process, without the v. */
  nodeVersion?: string
  /** What process.features.typescript says there. */
  features?: 'strip' | 'transform' | false
  /** Take tsx although the entry does not ask for it: Node.js has found that it cannot run a file by itself. */
  transform?: boolean
}

export interface Loader {
  /** none: JavaScript · node: Node.js strips the types itself · tsx: the project's own tsx. */
  loader: 'none' | 'node' | 'tsx'
  /** Arguments of Node.js for workers. */
  execArgv: string[]
  /** Variables that workers need in their environment for it. */
  env: Record<string, string>
  /** Half a sentence for the person at the terminal. */
  why: string
}

// Measured with tsx 4.23 (threads in /proc/self/task, after an entry with types has loaded):
//
//     Node.js   plain   types stripped   tsx, files in its cache   tsx, file not in its cache
//     20        11      cannot           12                        12
//     22-26      7      7                 7                        12
//
// On 20 tsx registers an asynchronous loader, which is a thread for life: a process with it is no mold. From 22 on its
// hooks are synchronous and add none, but a file that is not in its cache brings the thread of esbuild, which stays,
// and four of libuv's pool; with ESBUILD_WORKER_THREADS=0 esbuild runs as a process for each file instead. A mold that
// loads only JavaScript from node_modules stays free of both.
// Source maps: tsx turns them on itself, and so does Node.js when it transforms. Stripping leaves spaces for the types,
// so that lines and columns are right without one.

/**
 * Chooses what loads the entry: Node.js alone where that is enough, else the project's tsx.
 * @throws {MapacheError} MAPACHE_LOADER_MISSING if tsx is needed and not installed
 */
export function chooseLoader(question: LoaderQuestion): Loader {
  const { entry, cwd, nodeVersion = process.versions.node, features = ownFeature(), transform = false } = question
  const typed = TYPED.test(entry)
  if (!typed && !transform) return { loader: 'none', execArgv: mapArguments(entry), env: {}, why: 'JavaScript' }

  const strips = features === 'strip' || features === 'transform'
  const { config, problem } = readConfig(entry)
  const needs = transform ? 'its files need more than stripping types' : requirement(entry, config)
  const why = needs ?? (strips ? undefined : `Node.js ${nodeVersion} does not strip types`)
  if (why === undefined && !(config && hasJsx(config) && findTsx(entry, cwd))) {
    return { loader: 'node', execArgv: [], env: {}, why: `Node.js strips the types${problem}` }
  }
  const tsx = findTsx(entry, cwd)
  if (tsx === undefined) {
    const file = path.relative(cwd, entry)
    throw new MapacheError('MAPACHE_LOADER_MISSING', `${file} needs tsx: ${why}. Run: ${INSTALL}`)
  }
  return {
    loader: 'tsx',
    execArgv: ['--import', tsx],
    env: config && !isFoundFrom(cwd, config) ? { TSX_TSCONFIG_PATH: config.path } : {},
    why: `${why ?? `${config?.path ?? 'tsconfig.json'} sets jsx`}${problem}`
  }
}

/** What of the entry and its tsconfig.json Node.js cannot do by itself. */
function requirement(entry: string, config: TsConfigResult | undefined): string | undefined {
  const extension = path.extname(entry)
  if (extension === '.tsx' || extension === '.jsx') return `Node.js runs no ${extension} files`
  const options = config?.config.compilerOptions ?? {}
  if (Object.keys(options.paths ?? {}).length > 0) return `${config?.path} sets paths`
  if (options.emitDecoratorMetadata) {
    return `${config?.path} sets emitDecoratorMetadata (tsx runs the decorators, but emits no metadata)`
  }
  return options.experimentalDecorators ? `${config?.path} sets experimentalDecorators` : undefined
}

/** Often set for the pages of a browser only: with it tsx is taken where there is one, and else it is not missed. */
function hasJsx({ config }: TsConfigResult): boolean {
  return config.compilerOptions?.jsx !== undefined
}

/** The nearest tsconfig.json with what it extends. A broken one is no reason not to start: it is said. */
function readConfig(entry: string): { config?: TsConfigResult; problem: string } {
  try {
    const config = getTsconfig(path.dirname(entry))
    return config === null ? { problem: '' } : { config, problem: '' }
  } catch (error) {
    return { problem: ` (tsconfig.json was not understood: ${(error as Error).message})` }
  }
}

/** tsx looks for tsconfig.json from the working folder on, and not from the entry's. */
function isFoundFrom(cwd: string, config: TsConfigResult): boolean {
  if (process.env.TSX_TSCONFIG_PATH) return true
  try {
    return getTsconfig(cwd)?.path === config.path
  } catch {
    return false
  }
}

/** The URL of tsx's own entry, from the folders that the app itself would find it in: NODE_PATH is not one. */
function findTsx(entry: string, cwd: string): string | undefined {
  for (const folder of [realPath(path.dirname(entry)), realPath(cwd)]) {
    const manifest = process.versions.pnp ? resolved(folder) : above(folder)
    if (manifest === undefined) continue
    const { version, exports } = JSON.parse(readFileSync(manifest, 'utf8')) as TsxManifest
    const main = exports?.['.']
    // Before version 4 it could not be given to --import.
    if (typeof main !== 'string' || Number.parseInt(version ?? '', 10) < 4) continue
    return pathToFileURL(path.join(realPath(path.dirname(manifest)), main)).href
  }
  return undefined
}

function above(folder: string): string | undefined {
  const manifest = path.join(folder, 'node_modules', 'tsx', 'package.json')
  if (existsSync(manifest)) return manifest
  const parent = path.dirname(folder)
  return parent === folder ? undefined : above(parent)
}

/** Plug'n'Play of yarn has no folders to look into. */
function resolved(folder: string): string | undefined {
  try {
    return createRequire(path.join(folder, 'any.js')).resolve('tsx/package.json')
  } catch {
    return undefined
  }
}

/** Compiled JavaScript names its map. Without one the option would only make Node.js slower. */
function mapArguments(entry: string): string[] {
  try {
    return /^\/\/# sourceMappingURL=/m.test(readFileSync(entry, 'utf8')) ? ['--enable-source-maps'] : []
  } catch {
    return []
  }
}

function ownFeature(): LoaderQuestion['features'] {
  return (process.features as { typescript?: LoaderQuestion['features'] }).typescript ?? false
}

interface TsxManifest {
  version?: string
  exports?: Record<string, unknown>
}

const TYPED = /\.([cm]?ts|tsx|jsx)$/
const INSTALL = 'npm install --save-dev tsx'
