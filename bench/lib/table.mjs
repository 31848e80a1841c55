/** Lines a table up: the first column to the left, figures to the right. */
export function table(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  const show = (line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ')
  const [first, ...rest] = lines.map((line) => `  ${show(line)}`)
  return [first, `  ${widths.map((width) => '-'.repeat(width)).join('  ')}`, ...rest].join('\n')
}
