/** One whole HTTP/1.1 response as it came over the socket. */
export interface WireResponse {
  status: number
  headers: ReadonlyMap<string, string>
  body: Buffer
  /** The server says that this connection ends after this response. */
  close: boolean
}

/** The bytes are no HTTP/1.1 response. */
export class WireError extends Error {
  override name = 'WireError'
}

interface Head {
  status: number
  headers: Map<string, string>
  close: boolean
  /** How the body ends: after so many bytes, by its chunks, or with the connection. */
  framing: number | 'chunked' | 'until-close'
}

const EMPTY: Buffer = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 responses, also several in a row, from whatever pieces the socket delivers. It never guesses: a response
 * comes out of `next()` only when its framing says that it is whole.
 */
export class ResponseReader {
  #buffer: Buffer = EMPTY
  #head: Head | undefined
  #chunks: Buffer[] = []
  #ended = false
  #closing = false

  /** Some bytes of a response that is not whole yet have been read. */
  get started(): boolean {
    return this.#head !== undefined || this.#buffer.length > 0
  }

  /** A head with `Connection: close` has been read, maybe before its body was whole. */
  get closing(): boolean {
    return this.#closing
  }

  push(piece: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? piece : Buffer.concat([this.#buffer, piece])
    // Read the head at once: a client that is about to write wants to know whether the server has said close.
    if (this.#head === undefined) this.#readHead()
  }

  /** The server has ended its side: only now is a body without any length whole. */
  end(): void {
    this.#ended = true
  }

  /** The next whole response, or undefined while it is not whole. */
  next(): WireResponse | undefined {
    if (this.#head === undefined && !this.#readHead()) return undefined
    const head = this.#head as Head
    const body = this.#readBody(head)
    if (body === undefined) return undefined
    this.#head = undefined
    return { status: head.status, headers: head.headers, body, close: head.close }
  }

  #readHead(): boolean {
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end === -1) return false
      const head = parseHead(this.#buffer.toString('latin1', 0, end))
      this.#buffer = this.#buffer.subarray(end + 4)
      if (head.status >= 100 && head.status < 200) continue
      this.#head = head
      if (head.close) this.#closing = true
      return true
    }
  }

  #readBody(head: Head): Buffer | undefined {
    if (head.framing === 'chunked') return this.#readChunks()
    if (head.framing === 'until-close') {
      if (!this.#ended) return undefined
      return this.#take(this.#buffer.length)
    }
    return this.#buffer.length < head.framing ? undefined : this.#take(head.framing)
  }

  #readChunks(): Buffer | undefined {
    for (;;) {
      const lineEnd = this.#buffer.indexOf('\r\n')
      if (lineEnd === -1) return undefined
      const size = chunkSize(this.#buffer.toString('latin1', 0, lineEnd))
      if (size === 0) {
        const trailersEnd = this.#buffer.indexOf('\r\n\r\n', lineEnd)
        if (trailersEnd === -1) return undefined
        this.#take(trailersEnd + 4)
        const body = Buffer.concat(this.#chunks)
        this.#chunks = []
        return body
      }
      if (this.#buffer.length < lineEnd + 2 + size + 2) return undefined
      this.#take(lineEnd + 2)
      this.#chunks.push(this.#take(size))
      if (this.#take(2).toString('latin1') !== '\r\n') throw new WireError('a chunk is longer than it said')
    }
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.length === length ? EMPTY : this.#buffer.subarray(length)
    return taken
  }
}

function parseHead(text: string): Head {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const match = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(statusLine)
  if (match === null) throw new WireError(`not a status line: ${JSON.stringify(statusLine.slice(0, 60))}`)
  const status = Number(match[2])
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new WireError(`not a header: ${JSON.stringify(line.slice(0, 60))}`)
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  const connection = headers.get('connection')?.toLowerCase() ?? ''
  const framing = framingOf(status, headers)
  const close =
    framing === 'until-close' ||
    /\bclose\b/.test(connection) ||
    (match[1] === '0' && !connection.includes('keep-alive'))
  return { status, headers, close, framing }
}

function framingOf(status: number, headers: Map<string, string>): Head['framing'] {
  if (status === 204 || status === 304 || (status >= 100 && status < 200)) return 0
  if (headers.get('transfer-encoding')?.toLowerCase().includes('chunked')) return 'chunked'
  const length = headers.get('content-length')
  if (length === undefined) return 'until-close'
  if (!/^\d+$/.test(length)) throw new WireError(`not a content-length: ${JSON.stringify(length.slice(0, 60))}`)
  return Number(length)
}

function chunkSize(line: string): number {
  const hex = line.split(';')[0]?.trim() ?? ''
  if (!/^[0-9a-f]+$/i.test(hex)) throw new WireError(`not a chunk size: ${JSON.stringify(line.slice(0, 60))}`)
  return Number.parseInt(hex, 16)
}
