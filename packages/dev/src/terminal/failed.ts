import { pathToFileURL } from 'node:url'
import { framePlace, isOwn } from '../page/places.js'
import { type Palette, palette, plain } from './colors.js'
import { changed } from './lines.js'

/** An error, or the plain data of one that came from another process. */
export interface ErrorLike {
  name: string
  message: string
  stack?: string | undefined
  code?: string | undefined
  cause?: unknown
}

export interface Failed {
  error: ErrorLike
  /** The lines of source around the place, ready to print. */
  frame?: string | undefined
  /** The files whose change led to it. */
  files?: readonly string[] | undefined
}

/**
 * An error as a person reads it: what it is, the source around it, where it came from, and its causes. Frames of
 * dependencies and of Node.js itself are counted instead of shown.
 * @param cwd paths below it are written relative to it
 */
export function failedLines({ error, frame, files }: Failed, cwd: string, look = palette(false)): string[] {
  const lines = [[look.red('failed'), ...(files?.length ? [changed(files)] : [])].join(' · ')]
  let current: ErrorLike | undefined = error
  for (let depth = 0; current !== undefined && depth <= DEEPEST; depth++) {
    const { before, frames } = readStack(current)
    const source = depth === 0 && frame !== undefined ? frame : before
    lines.push(...titleLines(current, depth > 0, look))
    if (source.trim() !== '') lines.push('', ...indent(plain(source)), '')
    lines.push(...foldFrames(frames).map((line) => look.dim(`  ${relative(plain(line), cwd)}`)))
    current = causeOf(current)
  }
  return lines
}

/** Whether two errors read the same. */
export function sameError(one: Failed | undefined, other: Failed): boolean {
  return one !== undefined && one.frame === other.frame && text(one.error) === text(other.error)
}

function text(error: ErrorLike): string {
  return [error.name, error.message, error.stack].join('\n')
}

function titleLines(error: ErrorLike, isCause: boolean, look: Palette): string[] {
  const code = error.code === undefined || error.message.includes(error.code) ? '' : ` [${error.code}]`
  const [first = '', ...rest] = plain(`${error.name}${code}: ${error.message}`.trimEnd()).split('\n')
  return [`${isCause ? look.dim('caused by ') : ''}${look.bold(first)}`, ...rest.map((line) => `  ${line}`)]
}

/** Parts a stack: the lines ahead of the title (V8 puts the source of a syntax error there), and the frames. */
function readStack({ name, message, stack = '' }: ErrorLike): { before: string; frames: string[] } {
  const lines = stack.split('\n')
  const frames = lines.filter((line) => FRAME.test(line)).map((line) => line.trim())
  const opening = message.split('\n')[0] ?? ''
  const title = lines.findIndex((line) => line.startsWith(name) && line.includes(opening))
  return { before: title > 0 ? lines.slice(0, title).join('\n') : '', frames }
}

/** Runs of frames that are not the app's own become one line. */
function foldFrames(frames: readonly string[]): string[] {
  const lines: string[] = []
  let folded: string[] = []
  const unfold = () => {
    if (folded.length > 0) lines.push(foldedLine(folded))
    folded = []
  }
  for (const frame of frames) {
    if (isForeign(frame)) folded.push(frame)
    else {
      unfold()
      lines.push(frame)
    }
  }
  unfold()
  return lines
}

function foldedLine(frames: readonly string[]): string {
  const inside = frames.filter((frame) => NODE.test(frame)).length
  const where = [...(inside < frames.length ? ['node_modules'] : []), ...(inside > 0 ? ['Node.js'] : [])]
  return `… ${frames.length} ${frames.length === 1 ? 'frame' : 'frames'} in ${where.join(' and ')}`
}

function isForeign(frame: string): boolean {
  const place = framePlace(frame)
  return NODE.test(frame) || (place !== undefined && !isOwn(place.file))
}

function causeOf({ cause }: ErrorLike): ErrorLike | undefined {
  if (cause === undefined || cause === null) return undefined
  if (typeof cause !== 'object') return { name: 'Thrown', message: String(cause) }
  const { name, message, stack, code, cause: next } = cause as Partial<ErrorLike>
  return { name: String(name ?? 'Error'), message: String(message ?? ''), stack, code, cause: next }
}

function relative(line: string, cwd: string): string {
  return line.replaceAll(`${pathToFileURL(cwd).href}/`, '').replaceAll(`${cwd}/`, '')
}

function indent(block: string): string[] {
  return block
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .map((line) => `  ${line}`)
}

const FRAME = /^\s+at /
const NODE = /[\s(]node:|^at (async )?(native|<anonymous>)/
/** How many causes below the error itself are shown. */
const DEEPEST = 4
