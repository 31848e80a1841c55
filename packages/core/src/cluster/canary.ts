import type { AnswersData, CanaryFigures, CanarySide } from '../channel/canary.js'
import { addBuckets, type Buckets, bucketOf, lowQuantile, quantile, Z95 } from './histogram.js'

/** What a new generation's first worker must hold out against. */
export interface CanaryRule {
  /** How long it serves beside the old generation before it is judged, ms. */
  readonly soak: number
  /** Its share of answers from 500 up may exceed that of the old generation by so much, 0 to 1. */
  readonly maxErrorRate: number
  /** Its slowest answers (99th percentile), and its event loop's delay, may be so many times those of the old generation. */
  readonly maxLatencyRatio: number
  /** Fewer answers than these on either side are too few to compare how long they took. */
  readonly minRequests: number
}

/** What of the rule is not as by default. */
export type CanaryOptions = { -readonly [Name in keyof CanaryRule]?: CanaryRule[Name] | undefined }

/** The rule with its defaults. */
export function canaryRule({ soak, maxErrorRate, maxLatencyRatio, minRequests }: CanaryOptions): CanaryRule {
  return Object.freeze({
    soak: soak ?? 30_000,
    maxErrorRate: maxErrorRate ?? 0.01,
    maxLatencyRatio: maxLatencyRatio ?? 2,
    minRequests: minRequests ?? 100
  })
}

/** What was counted on one side of the comparison. */
export interface Tally {
  requests: number
  errors: number
  aborted: number
  crashes: number
  readonly latency: Buckets
  /** How many reports there were, and the event loop's delay of each: a soak may go on for hours. */
  reports: number
  readonly delays: Buckets
}

export interface Judgement {
  verdict: 'good' | 'bad' | 'undecided'
  /** What is worse than it may be, in words; or, of one that is good, what could not be judged. */
  because: string[]
  figures: CanaryFigures
}

export function emptyTally(): Tally {
  return { requests: 0, errors: 0, aborted: 0, crashes: 0, latency: new Map(), reports: 0, delays: new Map() }
}

/**
 * Adds one report of a worker.
 * @param delay 99th percentile of its event loop's delay, ms
 */
export function addReport(tally: Tally, { count, errors, aborted, latency }: AnswersData, delay: number): void {
  tally.requests += count
  tally.errors += errors
  tally.aborted += aborted
  tally.reports += 1
  addBuckets(tally.latency, latency)
  addBuckets(tally.delays, [[bucketOf(delay), 1]])
}

/**
 * Compares a canary with the old generation. Before the end of the soak only one with far too many errors is bad, since
 * who looks every second comes upon a bad second sooner or later. At the end each of these is bad: a crash; an error rate
 * whose 95 % interval (Wilson) lies wholly above what it may be; where both sides have requests enough, a 99th percentile,
 * taken at the lower end of its interval, above the ratio; a loop delay above the ratio. What is only a little slower in
 * milliseconds is not.
 * @param elapsed since the soak began, ms
 * @param final whether the soak is over: then the verdict is good or bad
 */
export function judge(given: {
  canary: Tally
  old: Tally
  rule: CanaryRule
  elapsed: number
  final: boolean
}): Judgement {
  const { canary, old, rule, elapsed, final } = given
  const enough = Math.min(canary.requests, old.requests) >= rule.minRequests
  const figures = {
    soak: rule.soak,
    elapsed: Math.round(elapsed),
    enough,
    canary: sideOf(canary),
    old: sideOf(old)
  }
  const because = [...judgeCrashes(canary), ...judgeErrors(canary, old, rule, final)]
  if (final) because.push(...(enough ? judgeLatency(canary, old, rule) : []), ...judgeDelay(canary, old, rule))
  if (because.length > 0) return { verdict: 'bad', because, figures }
  if (!final) return { verdict: 'undecided', because, figures }
  return { verdict: 'good', because: enough ? [] : [tooLittle(canary, old, rule)], figures }
}

/**
 * The lower end of a Wilson interval.
 * @param count of how many
 * @param z standard deviations on either side: 1.96 for 95 %
 * @returns a share, 0 to 1
 */
export function wilsonLow(hits: number, count: number, z: number): number {
  if (count === 0) return 0
  const share = hits / count
  const square = z ** 2
  const spread = z * Math.sqrt((share * (1 - share)) / count + square / (4 * count ** 2))
  return Math.max(0, (share + square / (2 * count) - spread) / (1 + square / count))
}

function judgeCrashes({ crashes }: Tally): string[] {
  return crashes > 0 ? ['it ended by itself'] : []
}

function judgeErrors(canary: Tally, old: Tally, { maxErrorRate }: CanaryRule, final: boolean): string[] {
  if (!final && canary.errors < EARLY_ERRORS) return []
  const most = rateOf(old) + maxErrorRate
  if (wilsonLow(canary.errors, canary.requests, final ? Z95 : Z999) <= most) return []
  return [`${percent(rateOf(canary))} of its ${canary.requests} answers are errors, against ${percent(rateOf(old))}`]
}

function judgeLatency(canary: Tally, old: Tally, { maxLatencyRatio }: CanaryRule): string[] {
  const surely = lowQuantile(canary.latency, 0.99)
  const before = quantile(old.latency, 0.99)
  if (!isWorse(surely, before, maxLatencyRatio, LATENCY_FLOOR)) return []
  return [`its p99 is ${ms(quantile(canary.latency, 0.99))}, against ${ms(before)}`]
}

function judgeDelay(canary: Tally, old: Tally, { maxLatencyRatio }: CanaryRule): string[] {
  if (Math.min(canary.reports, old.reports) < LEAST_REPORTS) return []
  const now = quantile(canary.delays, 0.5)
  const before = quantile(old.delays, 0.5)
  if (!isWorse(now, before, maxLatencyRatio, DELAY_FLOOR)) return []
  return [`its event loop is late by ${ms(now)}, against ${ms(before)}`]
}

function isWorse(now: number | undefined, before: number | undefined, ratio: number, floor: number): boolean {
  return now !== undefined && before !== undefined && now > ratio * before && now - before > floor
}

function tooLittle(canary: Tally, old: Tally, { minRequests }: CanaryRule): string {
  const had = `${canary.requests} answers of its own and ${old.requests} of the old workers`
  return `too little traffic (${had}, ${minRequests} wanted of each): how long they took was not judged`
}

function sideOf(tally: Tally): CanarySide {
  const { requests, errors, aborted, crashes, latency } = tally
  const measured = { p50: quantile(latency, 0.5), p99: quantile(latency, 0.99), delay: quantile(tally.delays, 0.5) }
  const known = Object.entries(measured).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, tenths(value)]]
  )
  return { requests, errors, errorRate: rateOf(tally), aborted, crashes, ...Object.fromEntries(known) }
}

function rateOf({ errors, requests }: Tally): number {
  return requests === 0 ? 0 : errors / requests
}

function percent(share: number): string {
  return `${tenths(share * 100)} %`
}

function ms(value: number | undefined): string {
  return `${tenths(value ?? 0)} ms`
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

/** Standard deviations on either side of an interval of 99.9 %. */
const Z999 = 3.29
/** Fewer errors than these decide nothing before the soak is over. */
const EARLY_ERRORS = 5
/** What is slower by less than this is not bad, whatever the ratio; ms. */
const LATENCY_FLOOR = 10
const DELAY_FLOOR = 50
/** Fewer reports than these of either side say nothing of its loop. */
const LEAST_REPORTS = 3
