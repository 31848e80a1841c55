import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cluster, ClusterStatus } from '@mapache/core'

/** How requests went in the last second. */
export interface Rates {
  /** Requests that were answered. */
  requestsPerSecond: number
  /** 99 of 100 were answered within this time, ms: the upper end of its bucket. Undefined when there were none. */
  p99: number | undefined
}

/** One worker's rates. What else is known of it stands in `status.processes`, by its id. */
export interface WorkerRates extends Rates {
  id: number
  generation: number
  place: number
  /** Requests that have no whole answer yet. */
  inFlight: number
}

/** Counted since the supervisor started. */
export interface Totals {
  requests: number
  /** Answered with 5xx. */
  serverErrors: number
  /** Whose answer was cut by the client or the worker. */
  aborted: number
  /** Workers that ended badly. */
  crashes: number
  /** Workers that were launched in place of one that left. */
  restarts: number
  reloads: { done: number; failed: number; rolledback: number }
}

/** The cluster as the dashboard shows it: plain data, made anew once a second. */
export interface Overview {
  /** When it was made, ms since 1970. */
  time: number
  status: ClusterStatus
  /** Of all workers together. */
  cluster: Rates & { inFlight: number; connections: number }
  workers: WorkerRates[]
  totals: Totals
  /** Whether `/readyz` says 200, and why. */
  ready: { ok: boolean; reason: string }
}

/** What the dashboard gets from the service. */
export interface DashboardOptions {
  /** The newest overview. Undefined until the supervisor has answered for the first time. */
  overview(): Overview | undefined
  /**
   * Calls `fn` once a second with each new overview, as long as anybody asks for it.
   * @returns ends it
   */
  onUpdate(fn: (overview: Overview) => void): () => void
  /** May reload, scale and so on, if there is a password; its events arrive. */
  cluster: Cluster
  /** Aborted when the service begins to leave: what is open for ever must end then. */
  retiring: AbortSignal
  /** For the buttons; without it there are none. */
  password: string | undefined
}

/** Takes a request, if it is one for the dashboard. @returns whether it took it */
export type Dashboard = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>
