import type { IncomingMessage, ServerResponse } from 'node:http'
import { Server } from 'node:net'
import { isNavigation } from './accepts.js'
import { SCRIPT_PATH } from './client.js'
import { appendToPage } from './inject.js'
import { answerPage, newStamp } from './stream.js'

export interface RefreshOptions {
  /** Of the code that this process runs. */
  generation: number
  /** Aborted when this process begins to leave. */
  retiring: AbortSignal
}

/**
 * Makes the pages of all HTTP servers of this process reload themselves when a process with other code takes over. Each
 * page gets a small script of its own origin at its end, so that a Content-Security-Policy with `script-src 'self'` (and
 * `connect-src 'self'`, if it names one) lets it run; under a stricter one the page is as ever, and does not reload.
 * To be called once, before the app is loaded.
 * @returns takes it off again; pages that are open keep their streams
 */
export function installRefresh({ generation, retiring }: RefreshOptions): () => void {
  const stamp = newStamp(generation)
  const tag = Buffer.from(`<script src="${SCRIPT_PATH}?stamp=${stamp}" defer></script>\n`)
  const prototype = Server.prototype as { emit: Emit }
  const own = Object.getOwnPropertyDescriptor(prototype, 'emit')
  const { emit } = prototype
  // Those of HTTP, HTTPS and HTTP/2 all have this one prototype. Wrapping `emit`, and not adding a listener, is what
  // comes ahead of the app in any case.
  const wrapped: Emit = function (event, ...args) {
    if (event === 'request') {
      const [request, response] = args as [IncomingMessage, ServerResponse]
      if (answerPage(request, response, { stamp, retiring })) return true
      prepare(request, response, tag)
    }
    return emit.call(this, event, ...args)
  }
  prototype.emit = wrapped
  return () => {
    if (prototype.emit !== wrapped) return
    if (own) Object.defineProperty(prototype, 'emit', own)
    else delete (prototype as Partial<typeof prototype>).emit
  }
}

function prepare(request: IncomingMessage, response: ServerResponse, tag: Buffer): void {
  // A reload of what a form was sent for would send it again.
  if ((request.method !== 'GET' && request.method !== 'HEAD') || !isNavigation(request)) return
  // What the browser has in its cache names the process of back then. The app would say that it is good as it is.
  delete request.headers['if-none-match']
  delete request.headers['if-modified-since']
  appendToPage(request, response, tag)
}

type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean
