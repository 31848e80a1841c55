import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** One accepted connection. */
export interface Connection {
  /** As accepted: below TLS, where there is TLS. */
  readonly socket: Socket
  tls?: TLSSocket
  session?: ServerHttp2Session
  /** HTTP/1 responses owed on it, in the order of their requests. */
  readonly owed: ServerResponse[]
  /** HTTP/2 streams that are open. */
  streams: number
  upgraded: boolean
}

/** What a drain does with requests and sessions that still arrive. */
export interface ArrivalHooks {
  /** Decides when a request is handed to the app: `dispatch` does it. */
  request(connection: Connection, dispatch: () => void): void
  session(session: ServerHttp2Session): void
  /** A response, a stream or a connection came to its end. */
  finished(): void
}

/**
 * Knows every connection of one server and what is owed on it, by watching the server's events. It adds no listener for
 * requests or upgrades: a server without an `upgrade` listener treats an upgrade as an ordinary request, and one with a
 * listener of ours would not.
 */
export class Connections {
  readonly server: Server
  readonly open = new Map<Socket, Connection>()
  /** Counted since the start. */
  accepted = 0
  requests = 0
  inFlight = 0
  /** Set while the server drains. */
  hooks: ArrivalHooks | undefined
  readonly #sessions = new WeakMap<ServerHttp2Session, Connection>()
  #entered: Connection | undefined

  constructor(server: Server) {
    this.server = server
    const emit = server.emit
    const own = this
    server.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
      return own.#watch(event, args, () => Reflect.apply(emit, this, [event, ...args]))
    } as typeof server.emit
  }

  /** @returns whether the event had listeners, as `emit` does */
  #watch(event: string, args: unknown[], emit: () => boolean): boolean {
    switch (event) {
      case 'connection':
        return this.#entering(this.#accept(args[0] as Socket), emit)
      case 'secureConnection': {
        const tls = args[0] as TLSSocket
        const connection = this.#find(tls)
        if (connection) connection.tls = tls
        return this.#entering(connection, emit)
      }
      case 'session':
        this.#session(args[0] as ServerHttp2Session)
        return emit()
      case 'stream':
        this.#stream(args[0] as ServerHttp2Stream)
        return emit()
      case 'upgrade':
      case 'connect': {
        const connection = this.#find(args[1] as Socket)
        if (connection) connection.upgraded = true
        return emit()
      }
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        return this.#request(args[0] as IncomingMessage, args[1] as ServerResponse, emit)
      default:
        return emit()
    }
  }

  /** An HTTP/2 session is made while its connection is announced, which is how it is told whose it is. */
  #entering(connection: Connection | undefined, emit: () => boolean): boolean {
    const outer = this.#entered
    this.#entered = connection
    try {
      return emit()
    } finally {
      this.#entered = outer
    }
  }

  #accept(socket: Socket): Connection | undefined {
    // Anything that is no socket is none of ours, and the app may hand a server the same socket again.
    if (typeof socket?.once !== 'function' || this.open.has(socket)) return this.open.get(socket)
    // Of a protocol that is not HTTP only the app knows when it is done, as after an upgrade.
    const upgraded = !('setTimeout' in this.server)
    const connection: Connection = { socket, owed: [], streams: 0, upgraded }
    this.accepted += 1
    this.open.set(socket, connection)
    socket.once('close', () => {
      this.open.delete(socket)
      this.hooks?.finished()
    })
    return connection
  }

  #session(session: ServerHttp2Session): void {
    const connection = this.#entered
    if (connection) {
      connection.session = session
      this.#sessions.set(session, connection)
    }
    this.hooks?.session(session)
  }

  #stream(stream: ServerHttp2Stream): void {
    const connection = stream.session && this.#sessions.get(stream.session as ServerHttp2Session)
    this.requests += 1
    this.inFlight += 1
    if (connection) connection.streams += 1
    stream.once('close', () => {
      this.inFlight -= 1
      if (connection) connection.streams -= 1
      this.hooks?.finished()
    })
  }

  #request(request: IncomingMessage, response: ServerResponse, emit: () => boolean): boolean {
    const connection = request.httpVersionMajor < 2 ? this.#find(request.socket) : undefined
    // HTTP/2 is counted by streams; a request that the app emits anew (checkContinue to request) is counted already.
    if (!connection || connection.owed.includes(response)) return emit()
    this.requests += 1
    this.inFlight += 1
    connection.owed.push(response)
    response.once('close', () => {
      this.inFlight -= 1
      connection.owed.splice(connection.owed.indexOf(response), 1)
      this.hooks?.finished()
    })
    if (!this.hooks) return emit()
    this.hooks.request(connection, emit)
    return true
  }

  #find(socket: Socket | TLSSocket): Connection | undefined {
    return this.open.get(socket) ?? this.open.get((socket as { _parent?: Socket })._parent as Socket)
  }
}
