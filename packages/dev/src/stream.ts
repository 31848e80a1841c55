import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientScript, SCRIPT_PATH, STREAM_PATH } from './client.js'

/**
 * Names the process that answers, for the pages that come from it. The generation alone would not do: after a crash the
 * error page has the number of the app before it, and another `mapache dev` counts from 1 again.
 */
export function newStamp(generation: number): string {
  return `${generation}-${randomBytes(4).toString('hex')}`
}

/**
 * Answers the requests that pages make for their reloading: the stream, and the script that listens to it.
 * @param retiring ends the streams, and at once those that begin later
 * @returns false, and does nothing, when the request is another
 */
export function answerPage(
  request: IncomingMessage,
  response: ServerResponse,
  { stamp, retiring }: { stamp: string; retiring: AbortSignal }
): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  const [path, query = ''] = (request.url ?? '').split('?', 2) as [string, string?]
  if (path === STREAM_PATH) stream(request, response, stamp, retiring)
  else if (path === SCRIPT_PATH) script(response, new URLSearchParams(query).get('stamp') ?? stamp)
  else return false
  request.resume()
  return true
}

function stream({ method }: IncomingMessage, response: ServerResponse, stamp: string, retiring: AbortSignal): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    // no-transform: what compresses on the way would hold events back.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no'
  })
  if (method === 'HEAD') return void response.end()
  response.write(`event: stamp\ndata: ${stamp}\n\n`)
  if (retiring.aborted) return void response.end()
  const end = () => response.end()
  retiring.addEventListener('abort', end, { once: true })
  response.once('close', () => retiring.removeEventListener('abort', end))
}

/** The script tells the page's stamp, and not ours: the page may be from a process that is gone by now. */
function script(response: ServerResponse, stamp: string): void {
  const text = clientScript(stamp)
  response.writeHead(200, {
    'content-type': 'text/javascript; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff'
  })
  response.end(text)
}
