import { stripVTControlCharacters } from 'node:util'

/** Takes out of a foreign text what a terminal would obey: escape sequences, and control characters but tab and newline. */
export function plain(text: string): string {
  return [...stripVTControlCharacters(text)].filter((char) => !isControl(char)).join('')
}

/** A foreign text within one line, cut at a length. */
export function oneLine(text: string, longest = 200): string {
  const line = plain(text).replace(/\s+/g, ' ').trim()
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0
  return (code < 0x20 && char !== '\n' && char !== '\t') || (code >= 0x7f && code < 0xa0)
}

/** An error that a user brought about, and whose message says all. */
export class Told extends Error {}

/** What a person reads of something that was thrown: the error with its causes; with their stacks, if they are the app's. */
export function describeError(thrown: unknown): string {
  const lines: string[] = []
  let current = thrown
  for (let depth = 0; current !== undefined && depth < 5; depth++) {
    const own = current instanceof Error ? textOf(current) : oneLine(String(current))
    lines.push(depth === 0 ? own : `caused by: ${own}`)
    current = current instanceof Error ? current.cause : undefined
  }
  return plain(lines.join('\n'))
}

function textOf(error: Error): string {
  // Where in Mapache an error was made tells nobody anything; where in the app, a lot.
  const isOwn = String((error as { code?: unknown }).code).startsWith('MAPACHE_')
  if (isOwn || error instanceof Told) return error.message
  const { stack = '' } = error
  return stack.includes(error.message) ? stack : `${error.name}: ${error.message}`
}

/** Columns of one width each, two blanks apart; numbers to the right. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, String(cell).length)
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, at) => {
        return typeof cell === 'number' ? String(cell).padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)
      })
      return cells.join('  ').trimEnd()
    })
    .join('\n')
}
