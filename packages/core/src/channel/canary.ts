import * as v from 'valibot'
import { LAST } from '../cluster/histogram.js'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const amount = v.pipe(v.number(), v.finite(), v.minValue(0))
const bucket = v.pipe(count, v.maxValue(LAST))

/** What a worker that measures has answered since its last report. */
export const Answers = v.strictObject({
  /** Responses that came to their end. */
  count,
  /** Those of them with a status from 500 up. */
  errors: count,
  /** Responses that the client, or the app, broke off. */
  aborted: count,
  /** How long they took, by bucket of `histogram.ts`. */
  latency: v.pipe(v.array(v.strictTuple([bucket, count])), v.maxLength(LAST + 1))
})

const Side = v.strictObject({
  /** Responses that came to their end while the canary soaked. */
  requests: count,
  /** Those of them with a status from 500 up. */
  errors: count,
  /** `errors` of `requests`, 0 to 1. */
  errorRate: amount,
  /** Responses that were broken off. */
  aborted: count,
  /** How long a response took, ms; not there without any. */
  p50: v.optional(amount),
  p99: v.optional(amount),
  /** The middle of what the workers told once a second of their event loop's delay (99th percentile), ms. */
  delay: v.optional(amount),
  /** Workers that ended badly. */
  crashes: count
})

/** A canary beside the old generation, in figures. */
export const Figures = v.strictObject({
  /** How long it was to soak, and how long it has, ms. */
  soak: amount,
  elapsed: amount,
  /** Whether both sides had requests enough to compare how long they took. */
  enough: v.boolean(),
  canary: Side,
  old: Side
})

/** What may be said of a canary where a reload is asked for: the fields of the option. */
export const CanaryOverride = v.union([
  v.literal(false),
  v.strictObject({
    soak: v.optional(amount),
    maxErrorRate: v.optional(amount),
    maxLatencyRatio: v.optional(amount),
    minRequests: v.optional(amount)
  })
])

export type AnswersData = v.InferOutput<typeof Answers>
export type CanaryFigures = v.InferOutput<typeof Figures>
export type CanarySide = v.InferOutput<typeof Side>
