import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:net'
import { methodIndex, type RequestCounts } from './requests.js'

/**
 * Counts the streams of an HTTP/2 server from now on. It adds no listener to the server, which would change what the server
 * does: it looks at the events that are emitted.
 */
export function watchStream(server: Server, counts: RequestCounts, ended: () => void): void {
  if (WATCHED in server) return
  Object.defineProperty(server, WATCHED, { value: true })
  const emit = server.emit as (this: Server, event: string, ...args: unknown[]) => boolean
  server.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
    if (event === 'stream') {
      const [stream, headers] = args as [ServerHttp2Stream, IncomingHttpHeaders]
      const method = methodIndex(headers[':method'])
      const start = performance.now()
      counts.began(method)
      stream.once('close', () => {
        const status = Number(stream.sentHeaders?.[':status'])
        // Without an error and with all that was written handed over, it was answered.
        if (status > 0 && stream.rstCode === NO_ERROR && stream.writableFinished && !stream.aborted) {
          counts.answered(method, status, performance.now() - start)
        } else {
          counts.aborted(method)
        }
        ended()
      })
    }
    return emit.call(this, event, ...args)
  } as typeof server.emit
}

const WATCHED = Symbol('mapache.metrics.watched')
const NO_ERROR = 0
