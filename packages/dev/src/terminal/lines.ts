import { type Palette, palette, plain } from './colors.js'
import type { ProcessMemory } from './memory.js'

export interface Started {
  /** Where the app is reached, the first being the one to open. */
  urls: readonly string[]
  strategy: string
  entry: string
  generation: number
  /** Milliseconds from the start of the command until the app served. */
  duration: number
}

export interface Reloaded {
  /** Milliseconds from the noticed change until the new code served. */
  duration: number
  /** The files that changed, relative to the app's folder; none, if a person asked by key. */
  files: readonly string[]
  generation: number
}

/** What is said when the app first serves; with keys also what they do. */
export function startedLines(started: Started, { keys = false, look = PLAIN }: Options = {}): string[] {
  const { urls, strategy, entry, generation, duration } = started
  const [first = 'no address', ...others] = urls
  const facts = [strategy, plain(entry), `gen ${generation} in ${time(duration)}`]
  const lines = [[look.bold(look.cyan(plain(first))), ...facts].join(DOT)]
  for (const url of others) lines.push(look.cyan(plain(url)))
  if (keys) lines.push(look.dim(KEYS))
  return lines
}

/** The one line of a reload. */
export function reloadedLine({ duration, files, generation }: Reloaded, look = PLAIN): string {
  return [look.green(`reloaded in ${time(duration)}`), changed(files), look.dim(`gen ${generation}`)].join(DOT)
}

/** Names what changed: one file, or the first and how many more; the key's letter if there is none. */
export function changed(files: readonly string[]): string {
  const [first, ...others] = files
  if (first === undefined) return 'r'
  const name = plain(first).replaceAll('\n', ' ')
  return others.length === 0 ? name : `${name} and ${others.length} more`
}

export function noteLine(text: string, look = PLAIN): string {
  return look.dim(plain(text))
}

export function warnLine(text: string, look = PLAIN): string {
  return `${look.yellow('warning')} ${plain(text)}`
}

/**
 * The status while the first boot loads.
 * @param count modules loaded so far
 * @param elapsed milliseconds since the start
 */
export function progressLine(count: number, elapsed: number, look = PLAIN): string {
  return look.dim(`loading … ${count} ${count === 1 ? 'module' : 'modules'}, ${(elapsed / 1000).toFixed(1)} s`)
}

/** The memory of the processes as a table, in MB. What the system does not tell is a dash. */
export function memoryLines(rows: readonly ProcessMemory[], look = PLAIN): string[] {
  const head = ['role', 'pid', 'gen', 'PSS', 'own', 'RSS MB']
  const body = rows.map(({ role, pid, generation, pss, own, rss }) => {
    return [plain(role), String(pid), String(generation ?? '–'), megabytes(pss), megabytes(own), megabytes(rss)]
  })
  const widths = head.map((title, column) => Math.max(...[head, ...body].map((row) => (row[column] ?? title).length)))
  const align = (row: string[]) => {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
    return cells.join('  ')
  }
  return [look.dim(align(head)), ...body.map(align)]
}

/** A duration in milliseconds as a person reads it. */
export function time(duration: number): string {
  return duration < 999.5 ? `${Math.round(duration)} ms` : `${(duration / 1000).toFixed(1)} s`
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '–' : (bytes / 1024 / 1024).toFixed(1)
}

interface Options {
  keys?: boolean
  look?: Palette
}

const PLAIN = palette(false)
const DOT = ' · '
const KEYS = 'r reload · m memory · o open · q quit'
