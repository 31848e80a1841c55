import { inspect } from 'node:util'

/** The known name that differs by at most two letters (Levenshtein distance), if there is one. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
  return ranked.sort((a, b) => a.far - b.far).find(({ far }) => far <= 2)?.other
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

/** Shows a value in an error, short enough for one line. */
export function show(value: unknown): string {
  // Whatever breakLength says, long arrays and stacks come in lines.
  const shown = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).replace(/\s*\n\s*/g, ' ')
  return shown.length > 120 ? `${shown.slice(0, 120)}…` : shown
}
