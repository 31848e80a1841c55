import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/**
 * Appends bytes to the body of a response, if it turns out to be an HTML page: whole, and not compressed. All else goes
 * out as the app made it. A Content-Length is corrected, wherever the app put it.
 *
 * Whether it is a page is known when the head is written: `writeHead` is called for each response, by the app or by Node.
 * The body passes untouched, and `end` adds the rest.
 */
export function appendToPage({ method }: IncomingMessage, response: ServerResponse, tail: Buffer): void {
  const { writeHead, end } = response
  let appends = false
  /** It is too late: the body was handed over whole as something else. */
  let left = false
  /** The length of a body that is handed over whole, before the head is written. */
  let whole: number | undefined

  response.writeHead = function (this: ServerResponse, status: number, ...rest: unknown[]) {
    if (!this.headersSent) {
      const given = rest.find((value) => typeof value === 'object' && value !== null) as Headers | undefined
      appends = !left && isPage(status, (name) => findHeader(given, name) ?? this.getHeader(name))
      if (appends) {
        const length = findHeader(given, LENGTH)
        const ownLength = this.getHeader(LENGTH) ?? whole
        if (length !== undefined) rest[rest.indexOf(given)] = withLength(given as Headers, Number(length) + tail.length)
        else if (ownLength !== undefined) this.setHeader(LENGTH, Number(ownLength) + tail.length)
      }
    }
    return (writeHead as Untyped).call(this, status, ...rest) as ServerResponse
  } as typeof writeHead

  response.end = function (this: ServerResponse, ...args: unknown[]) {
    const pass = () => (end as Untyped).apply(this, args) as ServerResponse
    const [chunk, encoding] = args
    const body = bytesOf(chunk, encoding)
    // What is no body is for Node to refuse.
    if (body === undefined || this.writableEnded) return pass()
    if (!this.headersSent) {
      left = !isPage(this.statusCode, (name) => this.getHeader(name))
      if (left) return pass()
      if (method !== 'HEAD' && !this.hasHeader('transfer-encoding') && !this.hasHeader('trailer')) whole = body.length
      this.writeHead(this.statusCode)
    }
    if (!appends || method === 'HEAD') return pass()
    const done = args.find((arg) => typeof arg === 'function')
    return (end as Untyped).call(this, Buffer.concat([body, tail]), ...(done ? [done] : [])) as ServerResponse
  } as typeof end
}

/** A part of a page, one that is as it was, and one that is compressed have no end to which something could be added. */
function isPage(status: number, header: (name: string) => unknown): boolean {
  if (status < 200 || [204, 205, 206, 304].includes(status)) return false
  const encoding = header('content-encoding')
  if (encoding !== undefined && String(encoding).toLowerCase() !== 'identity') return false
  return /^\s*text\/html\b(?!.*utf-16)/i.test(String(header('content-type') ?? ''))
}

/** Headers as `writeHead` takes them: an object, names and values in turn, or pairs. */
type Headers = OutgoingHttpHeaders | unknown[]

function findHeader(headers: Headers | undefined, name: string): unknown {
  return headers && entriesOf(headers).findLast(([key]) => String(key).toLowerCase() === name)?.[1]
}

function entriesOf(headers: Headers): [unknown, unknown][] {
  if (!Array.isArray(headers)) return Object.entries(headers)
  if (Array.isArray(headers[0])) return headers as [unknown, unknown][]
  return headers.flatMap((key, at) => (at % 2 === 0 ? [[key, headers[at + 1]]] : []))
}

/** The same headers in the same form. */
function withLength(headers: Headers, length: number): Headers {
  const entries = entriesOf(headers).map(([key, value]) => [key, isLength(key) ? String(length) : value])
  if (!Array.isArray(headers)) return Object.fromEntries(entries)
  return Array.isArray(headers[0]) ? entries : entries.flat(1)
}

function isLength(key: unknown): boolean {
  return String(key).toLowerCase() === LENGTH
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer | undefined {
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return Buffer.alloc(0)
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  }
  return chunk instanceof Uint8Array ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : undefined
}

type Untyped = (this: unknown, ...args: unknown[]) => unknown
const LENGTH = 'content-length'
