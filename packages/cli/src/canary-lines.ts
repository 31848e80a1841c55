import type { CanaryFigures } from '@mapache/core'
import { formatCount, formatShare, plural, UNKNOWN } from './format.js'
import { table } from './text.js'

type Side = CanaryFigures['canary']

/** A canary beside the old workers, as a small table. */
export function canaryLines({ canary, old, enough }: CanaryFigures): string[] {
  const rows = [
    ['canary', ...cellsOf(canary)],
    ['old workers', ...cellsOf(old)]
  ]
  const lines = table(COLUMNS, rows)
  return enough ? lines : [...lines, TOO_LITTLE]
}

/** How far a soak is, in one line. */
export function soakLine({ soak, elapsed, canary }: CanaryFigures): string {
  const left = Math.max(0, Math.round((soak - elapsed) / 1_000))
  return `${left}s left, ${plural(canary.requests, 'answer')} of the canary, ${formatCount(canary.errors)} of them errors`
}

function cellsOf({ requests, errors, errorRate, aborted, p50, p99, delay, crashes }: Side): string[] {
  const share = errors > 0 && errorRate < 0.005 ? '<1%' : formatShare(errorRate)
  const counts = [requests, errors].map(formatCount)
  return [...counts, share, formatCount(aborted), ...[p50, p99, delay].map(time), String(crashes)]
}

function time(ms: number | undefined): string {
  return ms === undefined ? UNKNOWN : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)}ms`
}

const COLUMNS = [
  { title: '' },
  ...['ANSWERS', 'ERRORS', 'SHARE', 'BROKEN OFF', 'P50', 'P99', 'LOOP DELAY', 'CRASHES'].map((title) => {
    return { title, side: 'right' } as const
  })
]
const TOO_LITTLE = 'Too little traffic: how long answers took was not judged.'
