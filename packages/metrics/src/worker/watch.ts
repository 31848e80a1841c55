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
  let pending = 0
  const ended = () => {
    pending -= 1
    if (pending <= 0) hooks.finished()
  }

  const closed = function (this: Socket & Marked): void {
    const owed = this[OWED]
    if (!owed) return
    // Answers leave in the order of their requests: what is left here was cut.
    for (const method of owed.methods.splice(0)) {
      counts.aborted(method)
      ended()
    }
    owed.starts.length = 0
  }

  subscribe('http.server.request.start', (message) => {
    const { request, socket } = message as HttpMessage
    let owed = socket[OWED]
    if (!owed) {
      owed = { methods: [], starts: [] }
      socket[OWED] = owed
      // One listener a connection, none a request.
      socket.once('close', closed)
    }
    owed.methods.push(methodIndex(request.method))
    owed.starts.push(performance.now())
    pending += 1
  })

  subscribe('http.server.response.finish', (message) => {
    const { response, socket } = message as HttpMessage
    const owed = socket[OWED]
    const start = owed?.starts.shift()
    if (!owed || start === undefined) return
    counts.answered(owed.methods.shift() as number, response.statusCode, performance.now() - start)
    ended()
  })

  const began = () => {
    pending += 1
  }
  subscribe('net.server.socket', (message) => {
    const { server } = (message as { socket: Socket & { server?: Server } }).socket
    if (server && 'updateSettings' in server) watchStream(server, counts, { began, ended })
  })
  subscribe('tracing:net.server.listen:asyncEnd', () => hooks.listening())
}

interface HttpMessage {
  request: IncomingMessage
  response: ServerResponse
  socket: Socket & Marked
}

/** What a connection's requests wait for, in their order. */
interface Owed {
  methods: number[]
  starts: number[]
}

const OWED = Symbol('mapache.metrics.owed')
interface Marked {
  [OWED]?: Owed
}
