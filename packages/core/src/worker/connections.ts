import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Answers } from './answers.js'
import { Yield } from './yield.js'

/** One accepted connection. */
export interface Connection {
  /** Its place among those that are open. */
  index: number
  /** As accepted: below TLS, where there is TLS. */
  readonly socket: Socket
  tls: TLSSocket | undefined
  session: ServerHttp2Session | undefined
  /** HTTP/1 responses owed on it, in the order of their requests; see `settle`. */
  readonly owed: ServerResponse[]
  /** How many were owed at once, at most: more than one is a client that pipelines. */
  depth: number
  /** HTTP/2 streams that are open. */
  streams: number
  /** Speaks something of which only the app knows when it is done. */
  upgraded: boolean
}

/** What a drain does with requests and sessions that still arrive. */
export interface ArrivalHooks {
  /** Decides when, and whether, a request is handed to the app: `dispatch` does it. */
  request(connection: Connection, dispatch: () => void, request: IncomingMessage, response: ServerResponse): void
  /** Whether an upgrade that still arrives is the app's. */
  upgrade(): boolean
  session(session: ServerHttp2Session): void
  /** The server is closed; `announce` tells the app. */
  closed(announce: () => void): void
  /** A response, a stream or a connection came to its end. */
  finished(): void
}

type Emit = (this: Server, event: string, ...args: unknown[]) => boolean

/**
 * Knows every connection of one server and what is owed on it, by watching the server's events. It adds no listener for
 * requests or upgrades: a server without an `upgrade` listener treats an upgrade as an ordinary request, and one with a
 * listener of ours would not. Nor does it listen on responses before there is a drain: all here is in the path of every
 * request.
 */
export class Connections {
  readonly server: Server
  readonly open: Connection[] = []
  /** Counted since the start. */
  accepted = 0
  requests = 0
  /** Measures what is answered, for as long as it is there. */
  meter: Answers | undefined
  #hooks: ArrivalHooks | undefined
  #entered: Connection | undefined
  readonly #sessions = new WeakMap<ServerHttp2Session, Connection>()
  readonly #speaksHttp: boolean
  readonly #closed: (this: Socket) => void

  constructor(server: Server) {
    const emit = server.emit as Emit
    const own = this
    this.server = server
    this.#speaksHttp = 'setTimeout' in server
    this.#closed = function () {
      own.#forget(this)
    }
    server.emit = function (this: Server, event: string, ...args: unknown[]): boolean {
      if (event === 'request') return own.#request(event, args, emit)
      if (event === 'connection') return own.#entering(own.#accept(args[0] as Socket), event, args[0], emit)
      if (WATCHED.has(event)) return own.#watch(event, args, emit)
      return emit.call(this, event, ...args)
    } as typeof server.emit
  }

  /** Requests that have no whole answer yet. */
  get inFlight(): number {
    let sum = 0
    for (const connection of this.open) sum += connection.streams + settle(connection).length
    return sum
  }

  get draining(): boolean {
    return this.#hooks !== undefined
  }

  /** From now on a drain decides about what arrives, and hears of what ends. */
  drain(hooks: ArrivalHooks): void {
    this.#hooks = hooks
    for (const connection of this.open) {
      for (const response of settle(connection)) response.once('close', hooks.finished)
    }
  }

  /** @returns whether the event had listeners, as `emit` does */
  #watch(event: string, args: unknown[], emit: Emit): boolean {
    const { server } = this
    switch (event) {
      case 'secureConnection': {
        const tls = args[0] as TLSSocket
        const connection = find(tls)
        if (connection) connection.tls = tls
        return this.#entering(connection, event, tls, emit)
      }
      case 'session':
        this.#session(args[0] as ServerHttp2Session)
        break
      case 'stream':
        this.#stream(args[0] as ServerHttp2Stream, args[1] as IncomingHttpHeaders)
        break
      case 'upgrade':
      case 'connect': {
        const connection = find(args[1] as Socket)
        if (connection) connection.upgraded = true
        // A client that had no answer to it tries again.
        if (this.#hooks?.upgrade() === false) {
          ;(args[1] as Socket).destroy()
          return true
        }
        break
      }
      case 'close':
        if (!this.#hooks) break
        this.#hooks.closed(() => emit.call(server, event))
        return true
      default:
        return this.#request(event, args, emit)
    }
    return emit.call(server, event, ...args)
  }

  /** An HTTP/2 session is made while its connection is announced, which is how it is told whose it is. */
  #entering(connection: Connection | undefined, event: string, socket: unknown, emit: Emit): boolean {
    this.#entered = connection
    const heard = emit.call(this.server, event, socket)
    this.#entered = undefined
    return heard
  }

  #accept(socket: Socket & Marked): Connection | undefined {
    // Anything that is no socket is none of ours, and the app may hand a server the same socket again.
    if (typeof socket?.on !== 'function' || socket[CONNECTION]) return socket?.[CONNECTION]
    const connection: Connection = {
      index: this.open.length,
      socket,
      tls: undefined,
      session: undefined,
      owed: [],
      depth: 1,
      streams: 0,
      upgraded: !this.#speaksHttp
    }
    socket[CONNECTION] = connection
    this.open.push(connection)
    this.accepted += 1
    if (!this.#hooks) toSiblings.accepted()
    socket.on('close', this.#closed)
    return connection
  }

  /** The last one takes the place of the one that goes, so that neither searches nor moves the rest. */
  #forget(socket: Socket & Marked): void {
    const { index } = socket[CONNECTION] as Connection
    const last = this.open.pop() as Connection
    if (last.index !== index) {
      this.open[index] = last
      last.index = index
    }
    this.#hooks?.finished()
  }

  #session(session: ServerHttp2Session): void {
    const connection = this.#entered
    if (connection) {
      connection.session = session
      this.#sessions.set(session, connection)
    }
    this.#hooks?.session(session)
  }

  #stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = stream.session && this.#sessions.get(stream.session as ServerHttp2Session)
    this.requests += 1
    this.meter?.beginStream(stream, headers)
    if (!connection) return
    connection.streams += 1
    stream.once('close', () => {
      connection.streams -= 1
      this.#hooks?.finished()
    })
  }

  #request(event: string, args: unknown[], emit: Emit): boolean {
    const [request, response] = args as [IncomingMessage, ServerResponse]
    const connection = this.#owe(request, response)
    if (!connection || !this.#hooks) return emit.call(this.server, event, request, response)
    this.#hooks.request(connection, () => emit.call(this.server, event, request, response), request, response)
    return true
  }

  /** @returns the connection on which the response is owed; undefined when it is counted already */
  #owe(request: IncomingMessage, response: ServerResponse): Connection | undefined {
    // HTTP/2 is counted by streams.
    const connection = request.httpVersionMajor < 2 ? find(request.socket) : undefined
    if (!connection) return undefined
    const owed = settle(connection)
    // The app emits some a second time: checkContinue as request.
    if (owed.length > 0 && owed.includes(response)) return undefined
    this.requests += 1
    this.meter?.begin(response)
    owed.push(response)
    if (owed.length > connection.depth) connection.depth = owed.length
    if (this.#hooks) response.once('close', this.#hooks.finished)
    return connection
  }
}

/** Takes what was answered off what is owed. */
export function settle({ owed }: Connection): ServerResponse[] {
  // Answers leave in the order of their requests, so what is done stands first.
  while (owed.length > 0 && isDone(owed[0] as ServerResponse)) owed.shift()
  return owed
}

function isDone({ writableFinished, destroyed }: ServerResponse): boolean {
  return writableFinished || destroyed
}

function find(socket: Socket & Marked & { _parent?: Marked }): Connection | undefined {
  return socket[CONNECTION] ?? socket._parent?.[CONNECTION]
}

const CONNECTION = Symbol('mapache.connection')
interface Marked {
  [CONNECTION]?: Connection
}

const toSiblings = new Yield()

const WATCHED: ReadonlySet<string> = new Set([
  'secureConnection',
  'session',
  'stream',
  'upgrade',
  'connect',
  'close',
  'checkContinue',
  'checkExpectation'
])
