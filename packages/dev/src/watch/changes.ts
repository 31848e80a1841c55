import path from 'node:path'
import { type Globs, relativeTo } from './globs.js'

/** What a change of a file means: new code, new dependencies, or nothing. */
export type Meaning = 'reload' | 'dependencies' | 'ignore'

/** What decides that. All paths are absolute and real. */
export interface Known {
  root: string
  /** The files that the app loaded. */
  loaded: ReadonlySet<string>
  /** The files that count as well. */
  globs: Globs
  /** Whether the app does not run: what it would have loaded is not known then. */
  broken: boolean
  /** The folders outside of the root that the app loaded code from. */
  outside: ReadonlySet<string>
  /** The root, and the folders above it up to the workspace's root. */
  projects: ReadonlySet<string>
}

/**
 * Tells what a change of a file means.
 * @param file absolute and real; it need not exist (any more)
 * @param known what is known of the app
 */
export function classify(file: string, known: Known): Meaning {
  const isDependency = isInModules(file, known.root)
  if (known.loaded.has(file)) return isDependency ? 'dependencies' : 'reload'
  const name = path.basename(file)
  const folder = path.dirname(file)
  if (TEMPORARY.test(name)) return 'ignore'
  if (known.globs.matches(relativeTo(known.root, file))) return 'reload'
  if (isDependency) {
    const isMarker = MARKERS.has(name) && path.basename(folder) === 'node_modules'
    return isMarker && known.projects.has(path.dirname(folder)) ? 'dependencies' : 'ignore'
  }
  if (LOCKFILES.has(name) && known.projects.has(folder)) return 'dependencies'
  if (known.broken && SOURCES.has(path.extname(name)) && (isBelow(file, known.root) || known.outside.has(folder))) {
    return 'reload'
  }
  return name === 'package.json' && known.projects.has(folder) ? 'dependencies' : 'ignore'
}

/**
 * Tells whether a folder below the root is watched: hidden folders, dependencies and the output of builds are not,
 * unless a pattern begins there.
 * @param folder absolute
 */
export function isCovered(folder: string, root: string, globs: Globs): boolean {
  const relative = relativeTo(root, folder)
  if (relative === '') return true
  if (relative === '..' || relative.startsWith('../') || path.isAbsolute(relative)) return false
  if (relative.split('/').every((name) => !isSkipped(name))) return true
  return globs.bases.some((base) => {
    if (base === relative || base.startsWith(`${relative}/`)) return true
    // A pattern that begins in such a folder means what is below, too; one that begins above it does not.
    if (!relative.startsWith(`${base}/`) || !base.split('/').some(isSkipped)) return false
    return !relative.slice(base.length).split('/').includes('node_modules')
  })
}

/** Whether a path is a folder's, or in it. */
export function isBelow(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)
}

/** Whether a file belongs to a package that was installed. A linked workspace package has its real path elsewhere. */
export function isInModules(file: string, root: string): boolean {
  const within = isBelow(file, root) ? path.relative(root, file) : file
  return within.split(path.sep).includes('node_modules')
}

function isSkipped(name: string): boolean {
  return name.startsWith('.') || SKIPPED.has(name)
}

const SKIPPED = new Set(['node_modules', 'dist', 'build', 'out', 'coverage', 'tmp', 'temp', 'logs'])

export const SOURCES: ReadonlySet<string> = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '.tsx',
  '.jsx',
  '.json'
])

export const LOCKFILES: ReadonlySet<string> = new Set([
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock'
])

/** What package managers write into node_modules when they are done. */
export const MARKERS: ReadonlySet<string> = new Set(['.package-lock.json', '.modules.yaml', '.yarn-state.yml'])

/** What editors write next to a file while they save it: vim, emacs, JetBrains, Sublime, GNOME, and who writes `x.tmp`. */
const TEMPORARY = /~$|\.sw[a-z]$|^4913$|^\.?#|___jb_(tmp|old)___$|\.subl.*\.tmp$|^\.goutputstream-|\.tmp([.-]\w+)?$/
