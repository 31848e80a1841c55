import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import net from 'node:net'
import { errorToData, MapacheError } from '../errors.js'
import { encode, FrameReader, MESSAGE_LIMIT } from './frames.js'
import {
  type ChannelRole,
  checkUpward,
  type Downward,
  OPERATOR_TOKEN,
  OPERATOR_VERSION,
  PROTOCOL_VERSION,
  type Upward
} from './messages.js'

/** Who may say hello: a process that was launched with this token, once; and operators, who are nobody's peer. */
export interface Admission<Peer> {
  role: ChannelRole
  peer: Peer | undefined
}

export interface ChannelHandlers<Peer> {
  /** Looks up a token, and spends it. */
  admit(token: string): Admission<Peer> | undefined
  hello(connection: Connection<Peer>): void
  message(connection: Connection<Peer>, message: Exclude<Upward, { type: 'hello' }>): void
  /** A message did not fit, or came out of turn. `fatal` when the connection is closed for it. */
  refused(connection: Connection<Peer>, reason: string, fatal: boolean): void
  closed(connection: Connection<Peer>): void
}

/** One process or operator on the channel, as the supervisor sees it. */
export class Connection<Peer> {
  readonly #socket: net.Socket
  /** Set by its hello. */
  admission: Admission<Peer> | undefined
  refusals = 0

  constructor(socket: net.Socket) {
    this.#socket = socket
  }

  /** @throws RangeError for a message that its receiver would not take, unless somebody waits for it: who is told so */
  send(message: Downward): void {
    if (this.#socket.destroyed) return
    const text = encode(message)
    if (text.length > MESSAGE_LIMIT / 3 && Buffer.byteLength(text) > MESSAGE_LIMIT) {
      const error = new RangeError(`${message.type}: the message is longer than ${MESSAGE_LIMIT} bytes`)
      if (message.type !== 'reply') throw error
      return this.send({ type: 'reply', request: message.request, error: errorToData(error) })
    }
    // A peer that does not read must not fill the supervisor's memory.
    if (this.#socket.writableLength > UNREAD_LIMIT) this.#socket.destroy()
    else this.#socket.write(text)
  }

  close(): void {
    this.#socket.destroy()
  }
}

/**
 * The supervisor's end of the channel. Everything that arrives is bounded in size and rate per connection and checked
 * against the protocol; what does not fit costs only its sender.
 */
export class ChannelServer<Peer> {
  readonly #server: net.Server
  readonly #handlers: ChannelHandlers<Peer>
  readonly #sockets = new Set<net.Socket>()

  constructor(handlers: ChannelHandlers<Peer>) {
    this.#handlers = handlers
    this.#server = net.createServer((socket) => this.#accept(socket))
  }

  /** @param path of the Unix socket, in a folder that only this user may enter */
  async listen(path: string): Promise<void> {
    this.#server.listen(path)
    await once(this.#server, 'listening')
    chmodSync(path, 0o600)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: net.Socket): void {
    const connection = new Connection<Peer>(socket)
    const reader = new FrameReader(MESSAGE_LIMIT)
    this.#sockets.add(socket)
    // Who has not said hello by then never will.
    const strangers = setTimeout(() => connection.admission ?? socket.destroy(), HELLO_TIMEOUT)
    const budget = new Budget(socket, () => this.#handlers.refused(connection, 'too many messages; slowed down', false))
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const input of reader.push(chunk)) {
          budget.spend()
          this.#take(connection, input)
          if (socket.destroyed) return
        }
      } catch (error) {
        this.#refuse(connection, String((error as Error).message).slice(0, 200), true)
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(strangers)
      budget.end()
      this.#sockets.delete(socket)
      this.#handlers.closed(connection)
    })
  }

  #take(connection: Connection<Peer>, input: unknown): void {
    const checked = checkUpward(input, connection.admission?.role)
    if ('refused' in checked) {
      if (connection.admission) answer(connection, input, checked.refused)
      return this.#refuse(connection, checked.refused, connection.admission === undefined)
    }
    const { message } = checked
    if (message.type !== 'hello') return this.#handlers.message(connection, message)
    const { version, token } = message
    const isOperator = token === OPERATOR_TOKEN
    const own = isOperator ? OPERATOR_VERSION : PROTOCOL_VERSION
    if (version !== own) {
      return this.#refuse(connection, `protocol version ${version}, this supervisor speaks ${own}`, true)
    }
    connection.admission = isOperator ? { role: 'operator', peer: undefined } : this.#handlers.admit(token)
    if (!connection.admission) return this.#refuse(connection, 'unknown token', true)
    this.#handlers.hello(connection)
  }

  #refuse(connection: Connection<Peer>, reason: string, fatal: boolean): void {
    connection.refusals += 1
    const last = fatal || connection.refusals >= REFUSALS_LIMIT
    connection.send({ type: 'refused', reason })
    this.#handlers.refused(connection, reason, last)
    if (last) connection.close()
  }
}

/** Whoever asked for something in a way that is refused waits for an answer all the same. */
function answer(connection: Connection<unknown>, input: unknown, reason: string): void {
  const { request } = input as { request?: unknown }
  if (!Number.isSafeInteger(request) || Number(request) < 0) return
  const error = errorToData(new MapacheError('MAPACHE_CHANNEL_REFUSED', reason))
  connection.send({ type: 'reply', request: Number(request), error })
}

/** Slows a sender down to a number of messages a second by not reading from it: its own buffers fill, nobody else's. */
class Budget {
  readonly #socket: net.Socket
  readonly #exceeded: () => void
  #left = MESSAGES_PER_SECOND
  #timer: NodeJS.Timeout | undefined

  constructor(socket: net.Socket, exceeded: () => void) {
    this.#socket = socket
    this.#exceeded = exceeded
  }

  spend(): void {
    this.#timer ??= setTimeout(() => this.#refill(), 1_000)
    this.#left -= 1
    if (this.#left !== 0) return
    this.#socket.pause()
    this.#exceeded()
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #refill(): void {
    this.#timer = undefined
    this.#left = MESSAGES_PER_SECOND
    this.#socket.resume()
  }
}

/** Bytes. */
const UNREAD_LIMIT = 8 * MESSAGE_LIMIT
const MESSAGES_PER_SECOND = 1_000
/** So many messages that do not fit, and the connection is closed. */
const REFUSALS_LIMIT = 20
/** Milliseconds. */
const HELLO_TIMEOUT = 5_000
