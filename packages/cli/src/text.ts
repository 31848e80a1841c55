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
