import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { pipeline } from 'node:stream'
import type { Connection } from './connections.js'
import { announceClose } from './last-answer.js'

/** Where a server listened, for those who go on listening there. */
export type Target = { secure: boolean; options: { path: string } | { host: string; port: number } }

/**
 * Where requests can be handed on to that a server is not to answer itself. Known as long as it listens.
 * @returns undefined when it does not
 */
export function targetOf(server: Server): Target | undefined {
  const address = server.address() as AddressInfo | string | null
  if (address === null) return undefined
  const secure = 'setTicketKeys' in server
  if (typeof address === 'string') return { secure, options: { path: address } }
  const host = LOOPBACK[address.address] ?? address.address
  return { secure, options: { host, port: address.port } }
}

/**
 * Has a request answered by whoever listens on the server's address now, or will: until then it waits in the kernel's
 * queue. For a connection that is kept from a time when this process was the one. HTTP/1: streams of HTTP/2 are refused in a
 * way that has its client try again.
 */
export function forward(
  target: Target,
  connection: Connection,
  request: IncomingMessage,
  response: ServerResponse
): void {
  const { secure, options } = target
  const { method, url } = request
  const socket = 'path' in options ? { socketPath: options.path } : options
  let outward: http.ClientRequest
  try {
    outward = (secure ? https : http).request({
      ...socket,
      method,
      path: url,
      headers: headersOf(request),
      agent: false,
      setHost: false,
      rejectUnauthorized: false
    } as https.RequestOptions)
  } catch {
    // As a server it takes what as a client it does not send.
    response.writeHead(400, { connection: 'close' }).end()
    return
  }
  outward.on('response', (answer) => {
    announceClose(connection)
    response.sendDate = false
    for (const [name, value] of pairs(answer.rawHeaders)) {
      if (!HOP_BY_HOP.has(name.toLowerCase())) response.appendHeader(name, value)
    }
    response.writeHead(answer.statusCode as number, answer.statusMessage)
    pipeline(answer, response, () => {})
  })
  // Nobody listens any more, or whoever does crashed on it.
  outward.on('error', () => response.destroy())
  response.on('close', () => outward.destroy())
  if (request.headers.expect) response.writeContinue()
  pipeline(request, outward, () => {})
}

function headersOf({ rawHeaders }: IncomingMessage): string[] {
  const kept = pairs(rawHeaders).filter(([name]) => {
    const lower = name.toLowerCase()
    // That a body is cut into chunks is said anew: it will be, if not along the same lines.
    return (lower === 'transfer-encoding' || !HOP_BY_HOP.has(lower)) && lower !== 'expect'
  })
  return kept.flat()
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let index = 0; index < raw.length; index += 2) found.push([raw[index] as string, raw[index + 1] as string])
  return found
}

const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding'])
const LOOPBACK: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
