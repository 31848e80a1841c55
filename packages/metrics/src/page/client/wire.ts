/** What the service tells the page, over server-sent events: the names are the events' names. */
export interface Wire {
  hello: Hello
  frame: Frame
  /** The log so far, in place of what the page has; oldest first. */
  log: Entry[]
  entry: Entry
  gone: Gone
  outcome: Outcome
}

/** The first event of each stream. */
export interface Hello {
  /** Names the page that this service serves: another one than the page's own means that Mapache was upgraded. */
  page: string
  /** The last minutes, as far as this service saw them; oldest first. */
  history: Sample[]
}

/** One second in the charts: time (ms since 1970), requests/s, p99 (ms), own and shared memory (bytes). */
export type Sample = [time: number, requests: number, p99: number | null, own: number | null, shared: number | null]

/** The cluster, once a second and after each change. */
export interface Frame {
  time: number
  name: string
  pid: number
  version: string
  /** ms since 1970. */
  startedAt: number
  generation: number
  target: number
  serving: number
  /** Places that wait in back-off after failures. */
  waiting: number
  /** The generation that a rollback would go back to. */
  rollback: number | null
  forked: boolean
  stopping: boolean
  addresses: string[]
  roll: { generation: number; kind: string; phase: string } | null
  ready: { ok: boolean; reason: string }
  requests: number
  p99: number | null
  inFlight: number
  connections: number
  /** Bytes, of all processes that tell theirs. */
  memory: { own: number; shared: number } | null
  totals: {
    requests: number
    serverErrors: number
    aborted: number
    crashes: number
    restarts: number
    reloads: { done: number; failed: number; rolledback: number }
  }
  processes: Process[]
}

/** One worker, service or mold. */
export interface Process {
  id: number
  role: string
  /** A service's name. */
  name: string
  generation: number
  state: string
  pid: number | null
  /** ms since its launch. */
  age: number
  /** Why it leaves. */
  reason: string | null
  /** How often its place failed in a row. */
  failures: number
  /** Per second. */
  requests: number | null
  p99: number | null
  inFlight: number | null
  /** Of its event loop, 0 to 1. */
  utilisation: number | null
  /** Private pages, and its share of what it shares; bytes. */
  memory: { own: number; shared: number } | null
}

/** A line of the event log. */
export interface Entry {
  time: number
  level: string
  message: string
  /** The error's stack, with its causes. */
  error?: string
}

/** A process has ended. */
export interface Gone {
  id: number
  reason: string
  failed: boolean
  /** `SIGKILL`, `code 1`; empty for an end as it should be. */
  how: string
}

/** What came of an action, whoever began it. */
export interface Outcome {
  time: number
  ok: boolean
  message: string
  error?: string
}
