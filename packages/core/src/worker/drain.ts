import http from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import net, { type Server } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import type { DrainedData } from '../channel/messages.js'
import { defer } from '../deferred.js'
import { type Connections, settle } from './connections.js'
import { forward, type Target, targetOf } from './forward.js'
import { announceClose, dispatchLater } from './last-answer.js'

export interface DrainOptions {
  /**
   * `retire`: others go on accepting. `stop`: nobody does, so what is queued in the kernel is accepted first. `forward`:
   * others will, and what still arrives here is handed on to them.
   */
  mode: 'retire' | 'stop' | 'forward'
  /** When what is left is cut, ms from now. */
  drainTimeout: number
  /** On a stop: how long idle connections are kept, ms. */
  stopIdleGrace: number
}

/**
 * Finishes what the servers hold and closes them. http.Server.close() would destroy idle connections, on which a
 * request may be on its way; this stops accepting and nothing else, tells clients `Connection: close` with the last
 * answer that they are owed, and leaves idle connections to their own timeouts, serving them if they speak.
 */
export class Drain {
  readonly #servers: Connections[] = []
  #options: DrainOptions | undefined
  #closeIdle = false
  #look: NodeJS.Immediate | undefined
  /** Servers that are closed, which the app does not know yet; none once the drain is over. */
  #unannounced: (() => void)[] | undefined = []
  readonly #emptied = defer<void>()
  readonly #timers: NodeJS.Timeout[] = []
  /** Where each server listened when it began to drain. */
  readonly #targets = new Map<Connections, Target | undefined>()

  /** A server that came to listen. One that comes during the drain is drained as well. */
  add(server: Connections): void {
    this.#servers.push(server)
    if (this.#options) void this.#retire(server, this.#options)
  }

  get servers(): readonly Connections[] {
    return this.#servers
  }

  /** Closes connections without a request now, and from now on those that become so. */
  closeIdle(): void {
    this.#closeIdle = true
    for (const server of this.#servers) closeIdleOf(server)
  }

  /** @returns what had to be cut, when no connection is left */
  async run(options: DrainOptions): Promise<DrainedData> {
    this.#options = options
    const deadline = new Promise<'late'>((resolve) => {
      this.#timers.push(setTimeout(resolve, options.drainTimeout, 'late'))
    })
    if (options.mode === 'stop') this.#closeIdleAfter(options.stopIdleGrace)
    if (options.mode === 'forward') this.forward()
    const finished = (async () => {
      for (const server of this.#servers) await this.#retire(server, options)
      this.#finished()
      await this.#emptied.promise
    })()
    const late = (await Promise.race([finished, deadline])) === 'late'
    for (const timer of this.#timers) clearTimeout(timer)
    const cut = late ? this.#cut() : { cutRequests: 0, cutSockets: 0, cutStreams: 0, closedIdle: 0 }
    const unannounced = this.#unannounced ?? []
    this.#unannounced = undefined
    for (const announce of unannounced) announce()
    return cut
  }

  /** From here on none of the servers answers by itself what arrives, however the drain began. */
  forward(): void {
    if (!this.#options) return
    this.#options = { ...this.#options, mode: 'forward' }
    // All of them at once.
    for (const server of this.#servers) void this.#retire(server, this.#options)
  }

  /** After one more turn of the loop: what had arrived by then is a request, and its connection not idle. */
  #closeIdleAfter(time: number): void {
    this.#timers.push(setTimeout(() => setImmediate(() => this.closeIdle()), time))
  }

  #retire(server: Connections, { mode }: DrainOptions): Promise<void> {
    const known = targetOf(server.server)
    if (known && !this.#targets.has(server)) this.#targets.set(server, known)
    // One that comes to listen late is not to accept anything either.
    if (!server.server.listening && !server.draining && mode === 'forward') {
      server.server.once('listening', () => void this.#retire(server, this.#options as DrainOptions))
    }
    const targetNow = () => (this.#options?.mode === 'forward' ? this.#targets.get(server) : undefined)
    const target = targetNow()
    if (!server.draining) {
      server.drain({
        request: (connection, dispatch, request, response) => {
          const target = targetNow()
          const handOn = target && (() => forward(target, connection, request, response))
          dispatchLater(server.server, connection, handOn ?? dispatch)
        },
        upgrade: () => targetNow() === undefined,
        session: (session) => (targetNow() ? session.close() : closeSession(session)),
        closed: (announce) => this.#closed(announce),
        finished: () => this.#finished()
      })
    }
    for (const connection of server.open) {
      announceClose(connection)
      if (connection.session && target) connection.session.close()
      else if (connection.session) closeSession(connection.session)
      // Only the app knows how to end it, and was told; but its old code is not to go on.
      if (connection.upgraded && target) setImmediate(() => connection.socket.destroy())
    }
    return stopAccepting(server, mode)
  }

  /** The app may close its other servers by the event, as Fastify does, so it comes when none is in use any more. */
  #closed(announce: () => void): void {
    if (this.#unannounced) this.#unannounced.push(announce)
    else announce()
  }

  /** Looks, once the loop has turned, whether connections are idle now, and whether any is left. */
  #finished(): void {
    this.#look ??= setImmediate(() => {
      this.#look = undefined
      if (this.#closeIdle) for (const server of this.#servers) closeIdleOf(server)
      if (this.#servers.every(({ server, open }) => open.length === 0 && !server.listening)) this.#emptied.resolve()
    })
  }

  #cut(): DrainedData {
    const cut: DrainedData = { cutRequests: 0, cutSockets: 0, cutStreams: 0, closedIdle: 0 }
    for (const { open } of this.#servers) {
      for (const connection of open) {
        const { upgraded, streams, socket } = connection
        const owed = settle(connection)
        cut.cutRequests += owed.length
        cut.cutStreams += streams
        if (upgraded) cut.cutSockets += 1
        else if (owed.length + streams === 0) cut.closedIdle += 1
        socket.destroy()
      }
    }
    return cut
  }
}

/**
 * Tells a session to go away. One that had no stream yet has just connected, before the drain or during it: its first
 * streams, which may be on their way, are answered before.
 */
function closeSession(session: ServerHttp2Session): void {
  if (session.state.lastProcStreamID !== 0) return session.close()
  const timer = setTimeout(() => session.close(), SESSION_GRACE)
  session.once('stream', () => setImmediate(() => session.close()))
  session.once('close', () => clearTimeout(timer))
}

/**
 * Stops accepting, and nothing else: `net.Server`'s own close. On a stop, first accepts what the kernel has queued:
 * libuv takes one connection a turn of the loop, so a whole turn without one means that the queue is empty, and the
 * socket is closed in that same turn.
 */
async function stopAccepting(connections: Connections, mode: DrainOptions['mode']): Promise<void> {
  const { server } = connections
  if (!server.listening) return
  if (mode === 'stop') {
    const start = performance.now()
    // The first turn may begin after the loop has looked at its sockets: the second is the first whole one.
    for (let quiet = 0; quiet < 2; ) {
      const before = connections.accepted
      await turn()
      quiet = connections.accepted === before ? quiet + 1 : 0
      const waited = performance.now() - start
      // Under a flood the queue is never empty: shorter, it leaves next to nothing behind.
      if (waited > FLOOD) (server as ServerInternals)._handle?.listen?.(0)
      if (waited > FLOOD * 5) break
    }
  }
  net.Server.prototype.close.call(server)
}

/** Closes the connections on which nothing is owed and nothing has begun to arrive. */
function closeIdleOf({ server, open }: Connections): void {
  for (const connection of open) {
    const { streams, upgraded, socket, session, tls } = connection
    if (settle(connection).length + streams > 0 || upgraded) continue
    if (session) session.close()
    else if ((tls ?? socket).bytesRead === 0 || isHandshaking(server, tls)) socket.destroy()
  }
  // Of the others Node's own parser knows best whether a request has begun.
  if ('closeIdleConnections' in server) http.Server.prototype.closeIdleConnections.call(server as http.Server)
}

function isHandshaking(server: Server, tls: unknown): boolean {
  return tls === undefined && 'setTicketKeys' in server
}

type ServerInternals = Server & { _handle?: { listen?(backlog: number): number } | null }

/** Milliseconds. */
const FLOOD = 200
const SESSION_GRACE = 1_000
