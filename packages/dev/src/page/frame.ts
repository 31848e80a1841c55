import path from 'node:path'
import type { FailureError } from '../failure.js'
import { placesOf, readSource } from './places.js'

/** The lines around the place of an error. */
export interface CodeFrame {
  /** Relative to the working directory. */
  file: string
  line: number
  /** Counts from 1, as the line does. */
  column?: number | undefined
  lines: { number: number; text: string }[]
}

/**
 * Shows where in the app's own code an error comes from. Reads the file, and does so as it is now.
 * @param cwd the folder that the file is named relative to
 * @returns undefined when no place is known, or its file is not readable
 */
export function codeFrame(error: FailureError, cwd: string): CodeFrame | undefined {
  for (const { file, line, column } of placesOf(error, cwd)) {
    const source = readSource(file, cwd)?.split(/\r?\n/)
    const text = source?.[line - 1]
    if (source === undefined || text === undefined) continue
    const start = Math.max(0, line - 1 - AROUND)
    return {
      file: path.relative(cwd, file) || file,
      line,
      // Beyond what is shown of the line, there is nothing to point at.
      ...(column !== undefined && column <= Math.min(text.length, LONGEST) + 1 ? { column } : {}),
      lines: source
        .slice(start, line + AROUND)
        .map((shown, index) => ({ number: start + index + 1, text: clip(shown) }))
    }
  }
  return undefined
}

/** The frame as plain lines, with the place marked. */
export function frameText({ file, line, column, lines }: CodeFrame): string {
  const width = String(lines.at(-1)?.number ?? line).length
  const rows = lines.flatMap(({ number, text }) => {
    const row = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${text}`
    return number === line && column !== undefined ? [row, `${' '.repeat(width + 4 + column)}^`] : [row]
  })
  return [`${file}:${line}${column === undefined ? '' : `:${column}`}`, ...rows].join('\n')
}

function clip(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text
}

/** Lines before and after. */
const AROUND = 5
/** Characters of a line that are shown: a bundle may have all in one. */
const LONGEST = 400
