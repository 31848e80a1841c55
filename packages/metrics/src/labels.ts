/**
 * Labels as they are printed, in the order of their names: the same labels are the same text.
 * @returns `a="x",b="y"`, without braces
 */
export function formatLabels(labels: Readonly<Record<string, unknown>>): string {
  return Object.keys(labels)
    .filter((name) => labels[name] !== undefined && labels[name] !== null)
    .sort()
    .map((name) => `${cleanName(name)}="${escapeQuoted(String(labels[name]))}"`)
    .join(',')
}

/** Escapes what may stand in quotes. */
export function escapeQuoted(text: string): string {
  return text.replace(/[\\"\n]/g, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`))
}

function cleanName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_')
}
