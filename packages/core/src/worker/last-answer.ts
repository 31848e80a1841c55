import type { Server } from 'node:net'
import { type Connection, settle } from './connections.js'

/**
 * Hands the app a request that came during the drain: perhaps the last of its connection, and then its answer says
 * `Connection: close`. Others may be right behind it (pipelining), and an answer that says so too early would leave them
 * unanswered. So the loop turns twice before the app has it, which is enough for those in the same read or the next; and
 * a client that was seen to send several at once gets a moment more to send as many again.
 */
export function dispatchLater(server: Server, connection: Connection, dispatch: () => void): void {
  // At once: the answer before this one is no longer the last.
  announceClose(connection)
  const queue = waiting.get(connection)
  if (queue) {
    queue.push(dispatch)
    return
  }
  waiting.set(connection, [dispatch])
  allowHalfClose(server, connection)
  const flush = () => {
    const batch = waiting.get(connection) ?? []
    waiting.delete(connection)
    connection.depth = 1
    announceClose(connection)
    for (const one of batch) one()
  }
  const since = performance.now()
  const look = () => {
    const whole = settle(connection).length >= connection.depth || performance.now() - since > BATCH
    if (whole) flush()
    else setTimeout(look, BATCH / 10)
  }
  setImmediate(() => setImmediate(look))
}

/**
 * Node ends a connection when its client ends its own side (a half-close), with whatever is not answered by then. An app
 * that answers at once would have answered before, and must not lose the request because it was handed over later.
 */
function allowHalfClose(server: Server & { httpAllowHalfOpen?: boolean | undefined }, connection: Connection): void {
  if (halfClosable.has(connection)) return
  halfClosable.add(connection)
  const socket = connection.tls ?? connection.socket
  socket.allowHalfOpen = true
  // Node's own listener, which looks at this, runs between the two.
  const { httpAllowHalfOpen } = server
  socket.prependListener('end', () => {
    if (waiting.has(connection)) server.httpAllowHalfOpen = true
  })
  socket.on('end', () => {
    server.httpAllowHalfOpen = httpAllowHalfOpen
  })
}

/**
 * Says `Connection: close` with the last answer that is owed on the connection, and with no other. While a client that
 * sends several at once has sent only some of them, none is known to be the last.
 */
export function announceClose(connection: Connection): void {
  const { upgraded, depth } = connection
  const owed = settle(connection)
  if (upgraded) return
  const end = owed.length < depth ? -1 : owed.length - 1
  for (const [index, response] of owed.entries()) {
    if (response.headersSent) continue
    const last = index === end
    // What asked for a close itself (HTTP/1.0, a `Connection: close` of the client's) keeps it.
    if (last && response.shouldKeepAlive) Object.assign(response, { shouldKeepAlive: false, [CLOSED]: true })
    else if (!last && CLOSED in response) Object.assign(response, { shouldKeepAlive: true })
  }
}

/** Requests that came during the drain, until they are handed to the app. */
const waiting = new WeakMap<Connection, (() => void)[]>()
const halfClosable = new WeakSet<Connection>()
/** Marks an answer that the drain made the last. */
const CLOSED = Symbol('mapache.closed')
/** Milliseconds. */
const BATCH = 100
