import type { Sample } from './wire.js'

/** How much of the past the charts show, ms. */
export const WINDOW = 300_000
/** Between two samples that are further apart nobody looked: the line has a gap there. */
const GAP = 4_000

/** Where a chart's line is drawn: the values from 0 to `max`, the time up to `end`. */
export interface Area {
  end: number
  max: number
  width: number
  height: number
}

/** Two pieces of the past as one: in order of time, no second twice, nothing older than the charts show. */
export function mergeSamples(known: readonly Sample[], more: readonly Sample[]): Sample[] {
  const byTime = new Map([...known, ...more].map((sample) => [sample[0], sample]))
  const all = [...byTime.values()].sort((a, b) => a[0] - b[0])
  const end = all.at(-1)?.[0] ?? 0
  return all.filter(([time]) => time > end - WINDOW)
}

/** The next of 1, 2, 5, 10, 20, … that holds the value: a scale that does not change with each sample. */
export function niceMax(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = [1, 2, 5, 10].find((step) => step * power >= value * 0.999_999) ?? 10
  return factor * power
}

/** The runs of neighbouring samples that have a value: `null` and a long pause end one. */
export function runs(samples: readonly Sample[], value: (sample: Sample) => number | null): [number, number][][] {
  const found: [number, number][][] = []
  let last = Number.NEGATIVE_INFINITY
  for (const sample of samples) {
    const [time] = sample
    const now = value(sample)
    if (now === null) {
      last = Number.NEGATIVE_INFINITY
      continue
    }
    if (time - last > GAP) found.push([])
    found.at(-1)?.push([time, now])
    last = time
  }
  return found
}

/**
 * The `d` of an SVG path.
 * @param closed the area below the line, in place of the line
 */
export function drawPath(pieces: readonly [number, number][][], area: Area, closed = false): string {
  const x = (time: number) => round(area.width * (1 - (area.end - time) / WINDOW))
  const y = (value: number) => round(area.height * (1 - Math.min(1, value / area.max)))
  return pieces
    .map((run) => {
      const [first, last] = [run[0], run.at(-1)]
      if (!first || !last) return ''
      const line = run.map(([time, value]) => `${x(time)} ${y(value)}`).join('L')
      // A line of one point would not be seen.
      if (!closed) return `M${line}${run.length === 1 ? 'h.5' : ''}`
      return `M${x(first[0])} ${area.height}L${line}L${x(last[0])} ${area.height}Z`
    })
    .join('')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
