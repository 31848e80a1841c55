import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import tls from 'node:tls'
import { ResponseReader, WireError, type WireResponse } from './wire.js'

/** Where the server listens. `tls: true` trusts any certificate. */
export interface Target {
  host?: string
  port?: number
  path?: string
  tls?: boolean | tls.ConnectionOptions
}

/** How an exchange failed, as seen from the client's end of the wire. */
export type FailureHow = 'connect' | 'ended' | 'error' | 'deadline' | 'wire' | 'after-close'

export class ExchangeError extends Error {
  override name = 'ExchangeError'
  /** ms on performance.now()'s clock. */
  readonly at = performance.now()

  constructor(
    readonly how: FailureHow,
    /** Some bytes of the answer had come. */
    readonly started: boolean,
    message: string,
    /** The system's code, if there is one. */
    readonly code?: string
  ) {
    super(message)
  }
}

/** Opens a connection, TLS handshake included; gives up after `deadline` ms. */
export function openConnection(target: Target, deadline: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(target)
    // The connection listens from the start: an answer or an end may come with the very first packet.
    const connection = new Connection(socket)
    const done = (error?: ExchangeError) => {
      clearTimeout(timer)
      socket.off('error', onError).off('close', onClose)
      if (error === undefined) return resolve(connection)
      socket.destroy()
      reject(error)
    }
    const onError = (error: NodeJS.ErrnoException) =>
      done(new ExchangeError('connect', false, error.message, error.code))
    const onClose = () => done(new ExchangeError('connect', false, 'closed while connecting'))
    const timer = setTimeout(
      () => done(new ExchangeError('deadline', false, `no connection within ${deadline} ms`)),
      deadline
    )
    socket.once('error', onError).once('close', onClose)
    socket.once(target.tls ? 'secureConnect' : 'connect', () => done())
  })
}

/** A connected plain or TLS socket; also used below HTTP/2. */
export function connectSocket(target: Target, protocol = 'http/1.1'): net.Socket {
  const where = target.path === undefined ? { host: target.host, port: target.port ?? 0 } : { path: target.path }
  const socket = target.tls
    ? tls.connect({
        servername: 'localhost',
        rejectUnauthorized: false,
        ALPNProtocols: [protocol],
        ...(target.tls === true ? {} : target.tls),
        ...where
      })
    : net.connect(where)
  return socket.setNoDelay(true)
}

/** One HTTP/1.1 connection: bytes out, whole responses in, in order. */
export class Connection {
  readonly #socket: net.Socket
  readonly #reader = new ResponseReader()
  readonly #responses: WireResponse[] = []
  #failure: ExchangeError | undefined
  #notify: (() => void) | undefined
  #answers = 0
  #final = false
  #leaving = false

  constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (piece: Buffer) => this.#read(() => this.#reader.push(piece)))
    socket.on('end', () => {
      this.#read(() => this.#reader.end())
      this.#fail('ended', 'the server ended the connection')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail('error', error.message, error.code))
    socket.on('close', () => this.#fail('ended', 'the connection closed'))
  }

  /** Some request has been answered here before. */
  get reused(): boolean {
    return this.#answers > 0
  }

  /** As far as this client has seen, the server would take one more request here. */
  get usable(): boolean {
    return this.#failure === undefined && !this.#reader.closing && !this.#leaving
  }

  /**
   * Looks before a client sends on a kept connection: whatever the kernel holds already, an end above all, is read first. Two
   * turns, because libuv leaves an end that came together with data for the next turn of the loop.
   */
  async look(): Promise<boolean> {
    await turn()
    await turn()
    return this.usable
  }

  /** Writes; what goes wrong with it is told by `receive()`. */
  write(data: string | Uint8Array): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(data)
  }

  /** The next response; rejects with an ExchangeError, at the latest at `until` (ms on performance.now()'s clock). */
  async receive(until: number): Promise<WireResponse> {
    if (this.#responses.length === 0 && this.#failure === undefined && !this.#final) await this.#wait(until)
    const response = this.#responses.shift()
    if (response !== undefined) {
      this.#answers++
      return response
    }
    // Nothing more can come after the answer that said close, whatever else has happened since.
    if (this.#final) {
      throw new ExchangeError('after-close', false, 'an earlier answer on this connection said Connection: close')
    }
    throw this.#failure ?? new ExchangeError('deadline', this.#reader.started, 'no whole answer within the deadline')
  }

  /** Leaves politely, with an end; only a peer that does not end its side within `grace` ms is cut off. */
  leave(grace = 1000): void {
    if (this.#leaving) return
    this.#leaving = true
    this.#socket.end()
    if (this.#socket.destroyed) return
    const timer = setTimeout(() => this.#socket.destroy(), grace)
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #wait(until: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, until - performance.now()))
      this.#notify = () => {
        this.#notify = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #read(feed: () => void): void {
    try {
      feed()
      for (let response = this.#reader.next(); response !== undefined; response = this.#reader.next()) {
        this.#responses.push(response)
        if (response.close) this.#final = true
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      this.#fail('wire', error.message)
      this.#socket.destroy()
    }
    if (this.#responses.length > 0) this.#notify?.()
  }

  #fail(how: FailureHow, message: string, code?: string): void {
    this.#failure ??= new ExchangeError(how, this.#reader.started, message, code)
    this.#notify?.()
  }
}
