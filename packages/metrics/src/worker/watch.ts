import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { methodIndex, type RequestCounts } from './requests.js'
import { watchStream } from './streams.js'

export interface WatchHooks {
  /** A server listens. */
  listening(): void
  /** Nothing that had begun is without its end now. */
  finished(): void
}

/**
 * Has every request of this process counted: HTTP/1 by Node's own diagnostics channels. HTTP/2 has none before Node 24, so
 * there the server's streams are watched, in all versions alike.
 */
export function watchRequests(counts: RequestCounts, hooks: WatchHooks): void {
  const ended = () => {
    if (counts.pending === 0) hooks.finished()
  }

  const closed = function (this: Socket & Marked): void {
    const owed = this[OWED]
    if (!owed) return
    // Answers leave in the order of their requests: what is left here was cut.
    while (owed.pending > 0) {
      counts.aborted(owed.method)
      next(owed)
      ended()
    }
  }

  subscribe('http.server.request.start', (message) => {
    const { request, socket } = message as HttpMessage
    let owed = socket[OWED]
    if (!owed) {
      owed = { pending: 0, method: 0, start: 0, queue: [] }
      socket[OWED] = owed
      // One listener a connection, none a request.
      socket.once('close', closed)
    }
    const method = methodIndex(request.method)
    counts.began(method)
    owed.pending += 1
    if (owed.pending > 1) {
      owed.queue.push([method, performance.now()])
      return
    }
    owed.method = method
    owed.start = performance.now()
  })

  subscribe('http.server.response.finish', (message) => {
    const { response, socket } = message as HttpMessage
    const owed = socket[OWED]
    if (!owed || owed.pending === 0) return
    counts.answered(owed.method, response.statusCode, performance.now() - owed.start)
    next(owed)
    ended()
  })

  subscribe('net.server.socket', (message) => {
    const { server } = (message as { socket: Socket & { server?: Server } }).socket
    if (server && 'updateSettings' in server) watchStream(server, counts, ended)
  })
  subscribe('tracing:net.server.listen:asyncEnd', () => hooks.listening())
}

interface HttpMessage {
  request: IncomingMessage
  response: ServerResponse
  socket: Socket & Marked
}

/** The request of a connection that is answered next. */
interface Owed {
  /** It, and those behind it. */
  pending: number
  method: number
  /** Monotonic, ms. */
  start: number
  /** Pipelined behind it: method and start. */
  queue: [number, number][]
}

function next(owed: Owed): void {
  owed.pending -= 1
  if (owed.pending === 0) return
  const [method, start] = owed.queue.shift() as [number, number]
  owed.method = method
  owed.start = start
}

const OWED = Symbol('mapache.metrics.owed')
interface Marked {
  [OWED]?: Owed
}
