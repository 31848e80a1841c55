import { stripVTControlCharacters } from 'node:util'
import sliceAnsi from 'slice-ansi'
import stringWidth from 'string-width'

/** Cuts a text to so many columns; what is cut off is marked. */
export function clip(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  if (columns < 1) return ''
  const most = columns - 1
  const cut = sliceAnsi(text, 0, most)
  // A wide letter on the edge is kept whole.
  return `${stringWidth(cut) > most ? sliceAnsi(text, 0, most - 1) : cut}…`
}

/** Fills a text up to so many columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, columns - stringWidth(text)))
  return side === 'left' ? text + fill : fill + text
}

/** Takes out of a foreign text (a name, a message) what a terminal would obey, and puts it into one line. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
}

/** As `plain`, of a text with lines of its own, such as an error with its stack: it keeps them, and its tabs. */
export function plainLines(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return stripVTControlCharacters(text).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]+/g, ' ')
}

/** Plain data with each text in it made `plain`. Anything else in it, such as an `Error`, is left as it is. */
export function plainData<Value>(value: Value): Value {
  if (typeof value === 'string') return plain(value) as Value
  if (Array.isArray(value)) return value.map(plainData) as Value
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plainData(one)])) as Value
}

export interface Column {
  title: string
  /** Numbers stand on the right. */
  side?: 'left' | 'right'
}

/**
 * Sets rows in columns, two spaces between.
 * @param cells may be coloured
 * @returns the lines; the first one has the titles
 */
export function table(columns: readonly Column[], cells: readonly (readonly string[])[]): string[] {
  const rows = [columns.map(({ title }) => title), ...cells]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => stringWidth(row[index] ?? ''))))
  return rows.map((row) => {
    return columns
      .map(({ side }, index) => pad(row[index] ?? '', widths[index] ?? 0, side))
      .join('  ')
      .trimEnd()
  })
}
