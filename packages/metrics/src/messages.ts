import type { AppReport, RequestReport } from './report.js'
import type { ClusterCounters } from './supervisor/counters.js'
import type { Change } from './supervisor/journal.js'

/** What the service hears after the changes that it asked for. */
export interface Pulled {
  request: number
  /** To ask with next. */
  sequence: number
  /** What has changed was too much for one answer: ask on at once. */
  more: boolean
  /** Those that have not left. */
  workers: number[]
  counters: ClusterCounters
  supervisor: SupervisorFigures
}

/** What the supervisor itself uses. */
export interface SupervisorFigures {
  /** Seconds. */
  cpu: number
  /** Bytes. */
  rss: number
  heapUsed: number
}

/** The service's question: what has changed after `since`? It gets a batch. */
export interface Pull {
  request: number
  since: number
}

export type { Change }

/** @throws TypeError when a worker's report of its requests does not fit */
export function checkRequests(data: unknown): RequestReport {
  const { counts, buckets, micros, active } = Object(data) as RequestReport
  if (!isCounts(counts) || !isCounts(buckets) || !Number.isSafeInteger(micros) || micros < 0 || !isAmount(active)) {
    throw new TypeError('must be what a worker has counted')
  }
  return { counts, buckets, micros, active }
}

/** @throws TypeError when a worker's report of its app's metrics does not fit */
export function checkApp(data: unknown): AppReport {
  const { metrics } = Object(data) as { metrics: AppReport }
  if (metrics === null || typeof metrics !== 'object') throw new TypeError('must have metrics')
  for (const text of Object.values(metrics)) {
    if (text !== null && typeof text !== 'string') throw new TypeError('metrics must be texts')
  }
  return metrics
}

/** @throws TypeError */
export function checkPull(data: unknown): Pull {
  const { request, since } = Object(data) as Pull
  if (!Number.isSafeInteger(request) || !Number.isSafeInteger(since)) throw new TypeError('must have request and since')
  return { request, since }
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MOST_COUNTS && value.every(isAmount)
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

const MOST_COUNTS = 100
