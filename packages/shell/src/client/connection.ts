import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Frame, PROTOCOL, parseFrame } from '../frames.js'
import { CTRL_C, LineReader } from '../server/lines.js'
import type { Target } from './arguments.js'
import { Failure } from './failure.js'
import { trust } from './pins.js'

/** A connection to a shell, whose certificate was found right. */
export class Connection {
  readonly #socket: TLSSocket
  #frames: Frame[] = []
  #onFrame: ((frame: Frame) => void) | undefined
  #onClose: (() => void) | undefined
  #closed = false

  constructor(socket: TLSSocket) {
    this.#socket = socket
    const reader = new LineReader(LONGEST)
    socket.on('data', (chunk: Buffer) => {
      for (const input of reader.push(chunk)) {
        const frame = input.type === 'line' ? parseFrame(input.bytes.toString()) : undefined
        if (!frame) socket.destroy()
        else if (this.#onFrame) this.#onFrame(frame)
        else this.#frames.push(frame)
      }
    })
    // `close` follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#onClose?.()
    })
  }

  /** From now on these hear of what comes; what has come already, at once. */
  listen(onFrame: (frame: Frame) => void, onClose: () => void): void {
    this.#onFrame = onFrame
    this.#onClose = onClose
    for (const frame of this.#frames.splice(0)) onFrame(frame)
    if (this.#closed) onClose()
  }

  send(line: string): void {
    this.#socket.write(`${line}\n`)
  }

  /** Gets out of the command that runs. */
  interrupt(): void {
    this.#socket.write(Buffer.of(CTRL_C))
  }

  /** There will be no more lines. */
  end(): void {
    this.#socket.end()
  }

  close(): void {
    this.#onFrame = undefined
    this.#onClose = undefined
    this.#socket.destroy()
  }
}

/**
 * Connects, and finds out whether it is the right shell before anything is said.
 * @param say takes what the person should know
 * @throws Failure
 */
export async function connect({ host, port, ca, cert, key }: Target, say: (text: string) => void): Promise<Connection> {
  const address = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
  const socket = connectTls({
    host,
    port,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [PROTOCOL],
    ...(isIP(host) ? {} : { servername: host }),
    // Without an authority to ask, the fingerprint decides, below.
    rejectUnauthorized: ca !== undefined,
    ...files({ ca, cert, key })
  })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the connection was closed')))
      socket.setTimeout(TIMEOUT, () => reject(new Error(`no answer within ${TIMEOUT / 1_000} s`)))
    })
    socket.setTimeout(0)
    if (socket.alpnProtocol !== PROTOCOL) throw new Error('it is no Mapache shell')
    if (ca === undefined) trust(address, socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0), say)
    return new Connection(socket)
  } catch (error) {
    socket.on('error', () => {}).destroy()
    if (error instanceof Failure) throw error
    throw new Failure(`cannot connect to ${address}: ${reason(error as NodeJS.ErrnoException)}`)
  }
}

function files(given: Record<string, string | undefined>): Record<string, Buffer> {
  const entries = Object.entries(given).flatMap(([name, file]) => (file === undefined ? [] : [[name, file] as const]))
  return Object.fromEntries(
    entries.map(([name, file]) => {
      try {
        return [name, readFileSync(file)]
      } catch (error) {
        throw new Failure(`--${name}: ${(error as Error).message}`)
      }
    })
  )
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' || code === 'EPROTO') return 'it is no Mapache shell'
  return message
}

/** Bytes of a line of the server. */
const LONGEST = 16 << 20
/** ms that a connection may take to be made. */
const TIMEOUT = 10_000
