import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The file behind a path (relative to `base`), a package's name or a file URL; undefined when there is none. */
export function findModuleFile(given: unknown, base: string): string | undefined {
  if (given instanceof URL || (typeof given === 'string' && given.startsWith('file:'))) {
    try {
      const file = fileURLToPath(given)
      return existsSync(file) ? file : undefined
    } catch {
      // A URL of another protocol, or of a file on another host.
      return undefined
    }
  }
  if (typeof given !== 'string' || given === '') return undefined
  const file = path.resolve(base, given)
  // The path as it is named, not as it resolves: a symlink in it may point elsewhere at the next reload.
  if (path.isAbsolute(given) || given.startsWith('.')) return existsSync(file) ? file : undefined
  try {
    return createRequire(path.join(base, 'noop.js')).resolve(given)
  } catch {
    return existsSync(file) ? file : undefined
  }
}
