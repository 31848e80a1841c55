import { type AppReport, MODULE, type RequestReport } from '../report.js'
import type { AppMetrics } from './app-metrics.js'
import type { RequestCounts } from './requests.js'

/** Sends one message to the supervisor's side of the module. */
export type Send = (message: string, data: RequestReport | { metrics: AppReport }) => void

/** Tells the supervisor what a worker has counted: once a second what has changed, and what is new at its end. */
export class Reporter {
  readonly #counts: RequestCounts
  readonly #app: AppMetrics
  readonly #send: Send
  #timer: NodeJS.Timeout | undefined
  #told = 0
  #active = 0
  #looked = 0
  #gathering = false
  /** The supervisor has taken leave of it: it is no worker any more. */
  #ended = false
  #failed = false

  constructor(counts: RequestCounts, app: AppMetrics, send: Send) {
    this.#counts = counts
    this.#app = app
    this.#send = send
  }

  /** The worker serves. Not before: a mold is to have no timer. */
  begin(): void {
    if (this.#timer || this.#ended) return
    this.#looked = performance.now()
    this.#timer = setInterval(() => void this.#tell(), INTERVAL).unref()
    // What the app has set up is shown at once.
    setImmediate(() => this.#timer && void this.#tell())
  }

  /** Tells at once what can be told without waiting. */
  last(): void {
    if (!this.#timer) return
    this.#tellRequests()
    try {
      this.#tellMetrics(this.#app.lastChanges())
    } catch (error) {
      this.#report(error)
    }
  }

  end(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#ended = true
  }

  /** In a process that was forked: it is another worker, and has counted nothing. */
  forked(): void {
    this.end()
    this.#ended = false
    this.#gathering = false
    this.#failed = false
    this.#told = 0
    this.#active = 0
    this.#counts.clear()
    this.#app.forked()
  }

  async #tell(): Promise<void> {
    this.#tellRequests()
    // An app's collect() may take longer than a second.
    if (this.#gathering) return
    this.#gathering = true
    try {
      const changes = await this.#app.changes()
      if (!this.#ended) this.#tellMetrics(changes)
    } catch (error) {
      this.#report(error)
    } finally {
      this.#gathering = false
    }
  }

  #tellRequests(): void {
    const now = performance.now()
    const period = now - this.#looked
    this.#looked = now
    if (this.#counts.version === this.#told) return
    this.#told = this.#counts.version
    this.#active += period
    this.#send('requests', this.#counts.report(this.#active))
  }

  /** In messages that leave at once, whole: what a socket's buffer has no room for is lost with the process. */
  #tellMetrics(changes: AppReport): void {
    let metrics: AppReport = {}
    let size = 0
    for (const [key, text] of Object.entries(changes)) {
      metrics[key] = text
      size += key.length + (text?.length ?? 0)
      if (size < MESSAGE) continue
      this.#send('app', { metrics })
      metrics = {}
      size = 0
    }
    if (size > 0) this.#send('app', { metrics })
  }

  /** It may be so each second. */
  #report(error: unknown): void {
    if (!this.#failed) console.error(`mapache: ${MODULE}: the app's own metrics could not be read:`, error)
    this.#failed = true
  }
}

/** Milliseconds. */
const INTERVAL = 1_000
/** Letters. */
const MESSAGE = 32_000
