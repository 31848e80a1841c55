// What workers tell the supervisor's side, and that tells the service: plain data, small, the same in all three.

/** The name of the module, in the log and in messages. */
export const MODULE = 'metrics'

/** Request methods that are told apart; what is none of them counts as the last. */
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const
/** How a request ended: the class of its status, or without a whole answer. */
export const ENDS = ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] as const
export const ABORTED = ENDS.indexOf('aborted')

/** Upper bounds of the histogram of request durations, seconds. */
export const BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The requests of one worker, counted since it began. */
export interface RequestReport {
  /** By method and end: `counts[method * ENDS.length + end]`. */
  counts: number[]
  /** Answers by duration, not cumulative; the last is beyond all bounds. */
  buckets: number[]
  /** Sum of the durations, whole microseconds: whole numbers make the same sum in any order, so that it never falls. */
  micros: number
  /** For how long anything was counted, ms: what rates are divided by. */
  active: number
}

/** One measured value: the sample's whole name, its labels as they are printed, the value. */
export type AppSample = [name: string, labels: string, value: number | 'NaN' | '+Inf' | '-Inf']

/** A metric of the app's own, or a part of one that has many samples. */
export interface AppMetric {
  name: string
  type: AppType
  help: string
  /** How values of several workers become one; counters, histograms and summaries are summed. */
  aggregator: Aggregator
  samples: AppSample[]
}

export const APP_TYPES = ['counter', 'gauge', 'histogram', 'summary'] as const
export type AppType = (typeof APP_TYPES)[number]
export const AGGREGATORS = ['sum', 'first', 'min', 'max', 'average', 'omit'] as const
export type Aggregator = (typeof AGGREGATORS)[number]

/** Metrics by a key, each as JSON text, which the supervisor does not read while the worker lives; null: gone. */
export type AppReport = Record<string, string | null>

/** What is counted in one worker, or was in all that have left. */
export function emptyRequests(bounds: number): RequestReport {
  return {
    counts: new Array(METHODS.length * ENDS.length).fill(0),
    buckets: new Array(bounds + 1).fill(0),
    micros: 0,
    active: 0
  }
}

/** Adds one worker's requests to a sum. */
export function addRequests(sum: RequestReport, more: RequestReport): void {
  for (const [index, count] of more.counts.entries()) sum.counts[index] = (sum.counts[index] ?? 0) + count
  for (const [index, count] of more.buckets.entries()) sum.buckets[index] = (sum.buckets[index] ?? 0) + count
  sum.micros += more.micros
  sum.active += more.active
}

/** Reads a metric's text, which came from a worker: from any code. @throws when it is none */
export function parseMetric(text: string): AppMetric {
  const metric = JSON.parse(text) as AppMetric
  const { name, type, help, aggregator, samples } = metric
  const fits =
    typeof name === 'string' &&
    METRIC_NAME.test(name) &&
    APP_TYPES.includes(type) &&
    typeof help === 'string' &&
    AGGREGATORS.includes(aggregator) &&
    Array.isArray(samples) &&
    samples.every(isSample)
  if (!fits) throw new TypeError(`not a metric: ${text.slice(0, 80)}`)
  return metric
}

function isSample(sample: unknown): sample is AppSample {
  if (!Array.isArray(sample)) return false
  const [name, labels, value] = sample as unknown[]
  return (
    typeof name === 'string' &&
    METRIC_NAME.test(name) &&
    typeof labels === 'string' &&
    areLabels(labels) &&
    (typeof value === 'number' || value === 'NaN' || value === '+Inf' || value === '-Inf')
  )
}

/** Whether these are labels as they are printed: one that is not would have a scraper refuse the whole page. */
function areLabels(labels: string): boolean {
  if (labels === '') return true
  const names = new Set<string>()
  LABEL.lastIndex = 0
  for (;;) {
    const [, name, end] = LABEL.exec(labels) ?? []
    if (name === undefined || name === '__name__' || names.has(name)) return false
    names.add(name)
    if (end === '') return true
  }
}

/** Sticky: label after label, in a time that grows with their length alone. */
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="[^"\\\n]*(?:\\["\\n][^"\\\n]*)*"(,|$)/y
const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
