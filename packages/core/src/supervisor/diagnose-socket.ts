import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import type { Socket } from 'node:net'

/** A message of the DevTools protocol, as far as it is read here. */
export interface DevToolsMessage {
  id?: number
  method?: string
  params?: unknown
}

/**
 * A client of Node's inspector: just as much of WebSocket (RFC 6455) as that speaks. Node 20 has none of its own.
 */
export class InspectorSocket {
  readonly #socket: Socket
  readonly #take: (message: DevToolsMessage) => void
  #unread: Buffer
  /** The parts of a message that has not ended. */
  #parts: Buffer[] = []
  #lastId = 0

  private constructor(socket: Socket, head: Buffer, take: (message: DevToolsMessage) => void) {
    this.#socket = socket
    this.#take = take
    this.#unread = head
    socket.on('data', (chunk: Buffer) => {
      this.#unread = Buffer.concat([this.#unread, chunk])
      try {
        this.#read()
      } catch {
        // No inspector says what cannot be read; thrown from here it would end the supervisor.
        socket.destroy()
      }
    })
    // Whoever waits for an answer has a deadline.
    socket.on('error', () => {})
  }

  /**
   * @param url `ws://127.0.0.1:PORT/ID`
   * @param take gets each message
   * @param signal ends the attempt
   */
  static connect(url: string, take: (message: DevToolsMessage) => void, signal: AbortSignal): Promise<InspectorSocket> {
    const { hostname, port, pathname } = new URL(url)
    const key = randomBytes(16).toString('base64')
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Version': 13
    }
    return new Promise((resolve, reject) => {
      const request = http.get({ hostname, port, path: pathname, headers, signal, agent: false })
      request.on('error', reject)
      request.on('response', ({ statusCode }) => reject(new Error(`the inspector answered ${statusCode}`)))
      request.on('upgrade', (response, socket, head) => {
        const expected = createHash('sha1').update(`${key}${GUID}`).digest('base64')
        if (response.headers['sec-websocket-accept'] === expected) {
          resolve(new InspectorSocket(socket as Socket, head, take))
        } else {
          socket.destroy()
          reject(new Error('the inspector does not speak WebSocket'))
        }
      })
    })
  }

  send(method: string): void {
    this.#lastId += 1
    this.#socket.write(textFrame(JSON.stringify({ id: this.#lastId, method }), randomBytes(4)))
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(): void {
    for (;;) {
      const frame = readFrame(this.#unread)
      if (!frame) return
      this.#unread = this.#unread.subarray(frame.length)
      if (frame.opcode >= CONTROL) continue
      this.#parts.push(frame.payload)
      if (!frame.final) continue
      const text = Buffer.concat(this.#parts.splice(0)).toString()
      this.#take(JSON.parse(text) as DevToolsMessage)
    }
  }
}

/** A frame with a whole text, masked, as a client has to. */
export function textFrame(text: string, mask: Buffer): Buffer {
  const payload = Buffer.from(text)
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] as number)
  const { length } = payload
  const head = length < SHORT ? Buffer.from([FINAL | TEXT, MASKED | length]) : Buffer.alloc(4)
  if (length >= SHORT) {
    head.set([FINAL | TEXT, MASKED | SHORT])
    head.writeUInt16BE(length, 2)
  }
  return Buffer.concat([head, mask, payload])
}

/** The first frame of what a server sent, if it is there whole; `length` is that of all its bytes. */
export function readFrame(
  bytes: Buffer
): { final: boolean; opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined
  const [first, second] = bytes as unknown as [number, number]
  const short = second & ~MASKED
  const start = short < SHORT ? 2 : short === SHORT ? 4 : 10
  if (bytes.length < start) return undefined
  const size = short < SHORT ? short : short === SHORT ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + size) return undefined
  return {
    final: (first & FINAL) !== 0,
    opcode: first & OPCODE,
    payload: bytes.subarray(start, start + size),
    length: start + size
  }
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const FINAL = 0x80
const MASKED = 0x80
const OPCODE = 0x0f
const TEXT = 1
/** From here on opcodes are no message's: close, ping, pong. */
const CONTROL = 8
/** Payloads up to here have their length in the second byte; this number in its place says that two bytes follow. */
const SHORT = 126
