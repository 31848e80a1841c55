import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FailureError } from '../failure.js'
import { isBelow, SOURCES } from '../watch/changes.js'
import { projectFolders } from '../watch/projects.js'

/** A place in the source, as an error names it. Line and column count from 1. */
export interface Place {
  file: string
  line: number
  column?: number | undefined
}

/**
 * The places that an error names, the most telling first: where its syntax is wrong, which import finds nothing, then the
 * frames of its stack. Those in dependencies and in Node itself are left out. The files need not exist.
 */
export function* placesOf({ message, stack }: FailureError, cwd: string): Generator<Place> {
  const lines = stack.split('\n')
  for (const place of [headPlace(lines), compilerPlace(message), jsonPlace(message, cwd), importPlace(message, cwd)]) {
    if (place && isOwn(place.file)) yield place
  }
  // A message may be made of what somebody sent, and look like frames.
  for (const line of stack.replace(message, '').split('\n')) {
    const place = framePlace(line)
    if (place && isOwn(place.file)) yield place
  }
}

/** The place in one line of a stack; undefined when it is in Node itself, or the line is none of a frame. */
export function framePlace(text: string): Place | undefined {
  const frame = /^\s*at (?:async )?(.*)$/.exec(text)?.[1]
  if (frame === undefined) return undefined
  // Names end at the first " (", and folders may have one too: without a name it is a part of the path.
  for (const place of [/^.*? \((.+)\)$/.exec(frame)?.[1], frame]) {
    const [, where = '', line, column] = /^(.+):(\d+):(\d+)$/.exec(place ?? '') ?? []
    const file = toPath(where)
    if (file !== undefined) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

/** Whether a file is the app's own: neither a dependency's nor, where that is linked from elsewhere, of Mapache itself. */
export function isOwn(file: string): boolean {
  return !/[\\/]node_modules[\\/]/.test(file) && !INSIDE.some((folder) => file.startsWith(folder))
}

/**
 * A file's text; undefined when it is not there, no file, or too large to be somebody's source, or is none of the project's
 * source files: errors are shown to whoever asks, and may name any file.
 * @param cwd the app's folder
 */
export function readSource(file: string, cwd: string): string | undefined {
  if (!SOURCES.has(path.extname(file)) || !projectFolders(cwd).some((folder) => isBelow(file, folder))) return undefined
  try {
    const { size } = statSync(file)
    return size > LARGEST ? undefined : readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** What Node puts ahead of the stack of a syntax error: `file:line`, the code, and a line that marks the place. */
function headPlace([first = '', ...rest]: string[]): Place | undefined {
  const [, where = '', line] = /^(.+):(\d+)$/.exec(first) ?? []
  const file = toPath(where)
  if (file === undefined) return undefined
  const marker = rest.slice(0, 20).find((text) => /^\s*\^+\s*$/.test(text))
  return { file, line: Number(line), column: marker === undefined ? undefined : marker.indexOf('^') + 1 }
}

/** What esbuild, and so tsx, says: `/app/server.ts:3:7: ERROR: Unexpected "="`. */
function compilerPlace(message: string): Place | undefined {
  const [, where = '', line, column] = /^(.+):(\d+):(\d+): ERROR: /m.exec(message) ?? []
  const file = toPath(where)
  // It counts columns from 0.
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) + 1 }
}

/** `/app/data.json: Expected … in JSON at position 10`. */
function jsonPlace(message: string, cwd: string): Place | undefined {
  const [, where = '', position] = /^(.+?): .*in JSON at position (\d+)/.exec(message) ?? []
  const file = toPath(where)
  const before = file === undefined ? undefined : readSource(file, cwd)?.slice(0, Number(position)).split('\n')
  if (file === undefined || before === undefined) return undefined
  return { file, line: before.length, column: (before.at(-1) as string).length + 1 }
}

/** `Cannot find module '/app/user.js' imported from /app/server.js`: the import is a line of the latter. */
function importPlace(message: string, cwd: string): Place | undefined {
  const [, wanted = '', from = ''] = /^Cannot find (?:module|package) '(.+?)' imported from (.+)$/m.exec(message) ?? []
  const file = toPath(from)
  const name = path.basename(wanted)
  if (file === undefined || name === '') return undefined
  const lines = readSource(file, cwd)?.split('\n') ?? []
  const index = lines.findIndex((line) => /\b(?:import|from|require)\b/.test(line) && line.includes(name))
  return index < 0 ? undefined : { file, line: index + 1, column: (lines[index] as string).indexOf(name) + 1 }
}

/** A path of a path or file URL; undefined for all else, as `node:internal` and `<anonymous>`. */
function toPath(where: string): string | undefined {
  if (path.isAbsolute(where)) return where
  if (!where.startsWith('file:')) return undefined
  try {
    // A query makes a module load anew; the file is the same.
    const url = new URL(where)
    url.search = ''
    url.hash = ''
    return fileURLToPath(url)
  } catch {
    return undefined
  }
}

/** Where the compiled code of Mapache lies. */
const INSIDE = [import.meta.resolve('../index.js'), import.meta.resolve('@mapache/core')].map((url) => {
  return fileURLToPath(new URL('./', url))
})
/** Bytes. */
const LARGEST = 4 * 1024 * 1024
