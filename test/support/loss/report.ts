import type { LatencySummary } from './histogram.js'

/** A way of using a connection. `prompt` habits do not wait by design, so their latency tells of the server alone. */
export const HABITS = {
  /** 1. A new connection for each request. */
  'new-connection': { prompt: true },
  /** 2. The next request as soon as the last one is answered. */
  'keep-alive': { prompt: true },
  /** 3. Kept alive, with time to think between requests. */
  'think-time': { prompt: true },
  /** 4. Connects, waits 200 ms, then sends. */
  'connect-then-wait': { prompt: false },
  /** 5. An answer that takes 1.2 s. */
  'slow-response': { prompt: false },
  /** 6. A body of 16 KB that takes 320 ms to send. */
  'slow-upload': { prompt: false },
  /** 7. Three requests in one write. */
  pipelined: { prompt: false },
  /** 8. Three requests in three writes, none waiting for an answer. */
  'pipelined-apart': { prompt: false },
  /** 9. An answer streamed in ten chunks over half a second. */
  streamed: { prompt: false },
  /** 10. Several streams at a time on one HTTP/2 session. */
  http2: { prompt: false }
} as const satisfies Record<string, { prompt: boolean }>

export type HabitName = keyof typeof HABITS

/** All habits that one HTTP/1.1 server can be loaded with; `http2` is asked for by name. */
export const HTTP1_HABITS = (Object.keys(HABITS) as HabitName[]).filter((habit) => habit !== 'http2')

/**
 * Why a request counts as lost:
 * - `refused`: no connection
 * - `reset`, `closed`: the connection was reset or ended before any byte of the answer
 * - `idle-race`: the same, at once, on a kept connection whose end the client had not seen when it sent
 * - `cut`: the answer began and was not whole
 * - `status`: 5xx, or any status but 200
 * - `wrong`: whole, but not the right answer, or no HTTP
 * - `unanswered`: no whole answer within the deadline
 * - `after-close`: pipelined, and an earlier answer said `Connection: close` after this request had been sent
 */
export type LossKind =
  | 'refused'
  | 'reset'
  | 'closed'
  | 'idle-race'
  | 'cut'
  | 'status'
  | 'wrong'
  | 'unanswered'
  | 'after-close'

export interface Loss {
  habit: HabitName
  kind: LossKind
  detail: string
  /** The phase in which the request began. */
  phase: string
  /** ms since the recorder began. */
  at: number
}

export interface HabitReport {
  requests: number
  answered: number
  lost: number
  connections: number
  /** Requests that the protocol allowed to send again, and that were. */
  retried: number
  /** By phase; all times in ms. */
  latency: Record<string, LatencySummary>
}

/** Plain data: can be printed as JSON. All times are ms. */
export interface LossReport {
  requests: number
  answered: number
  lost: number
  byKind: Partial<Record<LossKind, number>>
  losses: Loss[]
  habits: Partial<Record<HabitName, HabitReport>>
  /** Latency by phase of the habits that do not wait by design, taken together. */
  prompt: Record<string, LatencySummary>
  pipelined: { sent: number; answered: number }
  turnedAway: number
  clientErrors: string[]
  seed: number
  duration: number
}

/** A report as a few lines for a failed test: the counts, and the first `shown` losses in full. */
export function formatReport(report: LossReport, shown = 20): string {
  const lines = [
    `${report.requests} requests in ${(report.duration / 1000).toFixed(1)} s, ${report.lost} lost ${JSON.stringify(report.byKind)}, ` +
      `pipelined ${report.pipelined.answered} of ${report.pipelined.sent}, seed ${report.seed}`
  ]
  for (const [habit, { requests, lost, connections, retried }] of Object.entries(report.habits)) {
    lines.push(`  ${habit}: ${requests} requests, ${lost} lost, ${connections} connections, ${retried} retried`)
  }
  for (const loss of report.losses.slice(0, shown)) {
    lines.push(`  lost at ${loss.at.toFixed(0)} ms (${loss.phase}): ${loss.habit}, ${loss.kind}: ${loss.detail}`)
  }
  if (report.losses.length > shown) lines.push(`  ... and ${report.lost - shown} more`)
  if (report.clientErrors.length > 0) lines.push(`  client errors: ${report.clientErrors.slice(0, 3).join('; ')}`)
  return lines.join('\n')
}
