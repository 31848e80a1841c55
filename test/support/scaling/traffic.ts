import { seededRandom } from '../loss/random.js'

/** One request: when it arrives and how long it keeps an event loop busy, both ms. */
export interface Job {
  at: number
  ms: number
}

/** Traffic of a kind, as it is told to people and to the generator. */
export interface Traffic {
  name: string
  seconds: number
  /** Workers' worth of work that arrives a second, at this second. */
  worth: (second: number) => number
  /** Busy time of one request, ms, from a number of 0 to below 1; and its mean. */
  work: (random: number) => number
  mean: number
}

/** Requests that arrive by chance, more of them where more work is to arrive: a Poisson process, the same for the same seed. */
export function jobsOf({ seconds, worth, work, mean }: Traffic, seed: number): Job[] {
  const next = seededRandom(seed)
  const jobs: Job[] = []
  const slice = 10
  for (let from = 0; from < seconds * 1_000; from += slice) {
    const perMs = worth(from / 1_000) / mean
    if (perMs <= 0) continue
    const gap = () => -Math.log(1 - next()) / perMs
    for (let at = from + gap(); at < from + slice; at += gap()) jobs.push({ at, ms: work(next()) })
  }
  return jobs
}

/** Short requests, 3 to 7 ms. */
const SHORT = { work: (chance: number) => 3 + 4 * chance, mean: 5 }
/** One in twenty takes 200 ms, the others 5. */
const MIXED = { work: (chance: number) => (chance < 0.05 ? 200 : 5), mean: 0.05 * 200 + 0.95 * 5 }

/** The second at which `step` rises. */
export const STEP_AT = 20
export const KINDS: readonly Traffic[] = [
  { name: 'step', seconds: 60, worth: (second) => (second < STEP_AT ? 0.9 : 6.9), ...SHORT },
  { name: 'sine', seconds: 360, worth: (second) => 3.5 - 3 * Math.cos((second / 120) * 2 * Math.PI), ...SHORT },
  { name: 'spikes', seconds: 360, worth: (second) => (second % 45 < 5 && second > 20 ? 6 : 0.5), ...SHORT },
  { name: 'slow', seconds: 180, worth: () => 3, ...MIXED },
  { name: 'idle', seconds: 120, worth: (second) => (second < 10 ? 5 : 0.02), ...SHORT }
]

/**
 * Traffic that was recorded: lines of `second,requests[,ms of work]`, the work 5 ms where it is left out. A line that does
 * not begin with a number is skipped.
 */
export function recorded(name: string, csv: string): Traffic {
  const rows = csv
    .split(/\r?\n/)
    .map((line) => line.split(',').map((cell) => (cell.trim() === '' ? Number.NaN : Number(cell))))
    .filter(([second, requests]) => Number.isFinite(second) && Number.isFinite(requests)) as [number, number, number?][]
  if (rows.length === 0) throw new Error(`${name} has no line of second,requests`)
  const first = rows[0]?.[0] as number
  const worth = new Map(rows.map(([second, requests, ms = 5]) => [Math.floor(second - first), requests * (ms / 1_000)]))
  const seconds = Math.max(...worth.keys()) + 1
  const total = rows.reduce((sum, [, requests]) => sum + requests, 0)
  const mean = rows.reduce((sum, [, requests, ms = 5]) => sum + requests * ms, 0) / total
  return {
    name,
    seconds,
    worth: (second) => worth.get(Math.floor(second)) ?? 0,
    work: (chance) => mean * (0.6 + 0.8 * chance),
    mean
  }
}
