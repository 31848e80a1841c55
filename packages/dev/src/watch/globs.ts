import path from 'node:path'
import picomatch from 'picomatch'

/** Patterns of files, compiled. */
export interface Globs {
  /** Whether a file fits: one pattern at least, and none with a leading `!`. The path is relative to the root, with `/`. */
  matches(file: string): boolean
  /** The folders that the patterns begin with, relative to the root: '' for a pattern that begins with a star. */
  bases: readonly string[]
}

/**
 * Compiles patterns of files.
 * @param patterns globs relative to the root (or absolute); one with a leading `!` takes files out again; the plain name
 *   of a folder stands for all that is in it; dots in names are nothing special
 * @param root the folder that they are relative to, absolute
 */
export function compileGlobs(patterns: readonly string[], root: string): Globs {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!')).map((pattern) => relativePattern(pattern, root))
  const unwanted = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => relativePattern(pattern.slice(1), root))
  const fits = matcher(wanted)
  const isTakenOut = matcher(unwanted)
  return {
    matches: (file) => fits(file) && !isTakenOut(file),
    bases: [...new Set(wanted.map((pattern) => baseOf(pattern)))]
  }
}

/** A path relative to the root as patterns have it. */
export function relativeTo(root: string, file: string): string {
  return path.relative(root, file).replaceAll(path.sep, '/')
}

function matcher(patterns: string[]): (file: string) => boolean {
  if (patterns.length === 0) return () => false
  // A name without any star is a file or a folder: only the disk knows, and both mean the same here.
  return picomatch(
    patterns.flatMap((pattern) => (picomatch.scan(pattern).isGlob ? [pattern] : [pattern, `${pattern}/**`])),
    { dot: true }
  )
}

function relativePattern(pattern: string, root: string): string {
  const relative = path.isAbsolute(pattern) ? relativeTo(root, pattern) : pattern
  return relative.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
}

/** The folder that all that fits is in. A plain name may be one itself. */
function baseOf(pattern: string): string {
  const { base, isGlob } = picomatch.scan(pattern)
  if (isGlob) return base === '.' ? '' : base
  return pattern
}
