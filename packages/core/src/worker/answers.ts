import type { ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AnswersData } from '../channel/canary.js'
import { type Buckets, bucketOf } from '../cluster/histogram.js'

/** Counts what a worker answers and how long that takes, while it is told to. */
export class Answers {
  #count = 0
  #errors = 0
  #aborted = 0
  #latency: Buckets = new Map()

  /** A request has arrived by HTTP/1, and this is to be its response. */
  begin(response: ServerResponse): void {
    const arrived = performance.now()
    response.once('close', () => {
      if (response.writableFinished) this.#answered(response.statusCode, arrived)
      else this.#aborted += 1
    })
  }

  /** The same by HTTP/2. A stream that becomes a tunnel, as a WebSocket does, is no answer. */
  beginStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders | undefined): void {
    if (headers?.[':method'] === 'CONNECT') return
    const arrived = performance.now()
    stream.once('close', () => {
      const status = stream.sentHeaders?.[':status']
      // A stream that was reset is finished, too.
      if (stream.rstCode === 0 && stream.writableFinished && status !== undefined)
        this.#answered(Number(status), arrived)
      else this.#aborted += 1
    })
  }

  /** What was counted since this was asked last. */
  take(): AnswersData {
    const data = {
      count: this.#count,
      errors: this.#errors,
      aborted: this.#aborted,
      latency: [...this.#latency] as [number, number][]
    }
    this.#count = this.#errors = this.#aborted = 0
    this.#latency = new Map()
    return data
  }

  #answered(status: number, arrived: number): void {
    const bucket = bucketOf(performance.now() - arrived)
    this.#count += 1
    if (status >= 500) this.#errors += 1
    this.#latency.set(bucket, (this.#latency.get(bucket) ?? 0) + 1)
  }
}
