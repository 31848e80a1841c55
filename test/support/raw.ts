import type { Socket } from 'node:net'
import { before } from './fixture.js'
import { connectSocket, type Target } from './loss/connection.js'
import { ResponseReader, type WireResponse } from './loss/wire.js'

/** A client that sends the bytes it is told to, when it is told to, and shows what came back. */
export class RawClient {
  readonly socket: Socket
  /** All that came, as text. */
  text = ''
  readonly #reader = new ResponseReader()
  readonly #answers: WireResponse[] = []
  #changed: (() => void)[] = []
  /** How the server's side came to its end. */
  end: 'open' | 'ended' | Error = 'open'

  /** Opens a connection, TLS handshake included. */
  static async open(target: Target | number): Promise<RawClient> {
    const where = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target
    const socket = connectSocket(where)
    const client = new RawClient(socket)
    const connected = new Promise<void>((resolve, reject) => {
      socket.once(where.tls ? 'secureConnect' : 'connect', resolve).once('error', reject)
    })
    await before(connected, () => `a connection to ${JSON.stringify(where)}`)
    return client
  }

  /** Opens a connection on which something else than HTTP is spoken. */
  static plain(port: number): RawClient {
    return new RawClient(connectSocket({ host: '127.0.0.1', port }), false)
  }

  constructor(socket: Socket, speaksHttp = true) {
    this.socket = socket
    socket.on('data', (piece: Buffer) => {
      this.text += piece.toString('latin1')
      if (speaksHttp) this.#reader.push(piece)
      this.#read()
    })
    socket.on('end', () => {
      if (this.end === 'open') this.end = 'ended'
      this.#reader.end()
      this.#read()
    })
    socket.on('error', (error) => {
      if (this.end === 'open') this.end = error
      this.#tell()
    })
  }

  /** Sends text as it is. */
  send(text: string): this {
    this.socket.write(text)
    return this
  }

  /** Sends a GET request that keeps the connection. */
  ask(path = '/'): this {
    return this.send(request(path))
  }

  /** The next whole answer. */
  async answer(): Promise<{ status: number; body: string; close: boolean }> {
    await this.#until(() => this.#answers.length > 0, 'an answer')
    const { status, body, close } = this.#answers.shift() as WireResponse
    return { status, body: body.toString(), close }
  }

  /** Waits until what came matches. */
  async received(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.text), String(pattern))
  }

  /** Waits until the server has ended the connection; throws if that was a reset. */
  async ended(): Promise<void> {
    await this.#until(() => this.end !== 'open', 'the end')
    if (this.end instanceof Error) throw this.end
  }

  close(): void {
    this.socket.destroy()
  }

  async #until(test: () => boolean, what: string): Promise<void> {
    const look = async () => {
      while (!test()) {
        if (this.end !== 'open' && what !== 'the end') {
          throw new Error(`${String(this.end)} before ${what}; got ${JSON.stringify(this.text)}`)
        }
        await new Promise<void>((resolve) => this.#changed.push(resolve))
      }
    }
    await before(look(), () => `${what}; got ${JSON.stringify(this.text)}`)
  }

  #read(): void {
    for (let answer = this.#reader.next(); answer; answer = this.#reader.next()) this.#answers.push(answer)
    this.#tell()
  }

  #tell(): void {
    for (const changed of this.#changed.splice(0)) changed()
  }
}

/** A GET request that keeps the connection. */
export function request(path = '/'): string {
  return `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`
}
