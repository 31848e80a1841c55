import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { worker } from '@mapache/core/worker'
import { wantsPage } from './accepts.js'
import { clientScript } from './client.js'
import { type Failure, withoutInside } from './failure.js'
import { type Description, describe } from './page/describe.js'
import { contentSecurityPolicy, failurePage } from './page/html.js'
import { failureJson } from './page/json.js'
import { answerPage, newStamp } from './stream.js'

/**
 * Serves an error in place of the app that has it: a page for browsers, which reloads itself when the code has changed,
 * and JSON for all others, with status 500.
 * @returns the listener for the server's requests; the source files that the error names are read here, as they are now
 */
export default function fallback(failure: Failure): RequestListener {
  const description = describe(withoutInside(failure.error), failure.cwd)
  const stamp = newStamp(failure.generation)
  return (request, response) => {
    if (answerPage(request, response, { stamp, retiring: worker.retiring })) return
    // Uploads are taken to their end first: a connection that is closed on a client that still sends is reset, and the
    // client would see that instead of the error.
    request.resume().once('end', () => {
      if (wantsPage(request)) sendPage(request, response, { failure, description, stamp })
      else
        send(
          request,
          response,
          'application/json; charset=utf-8',
          `${JSON.stringify(failureJson(description), null, 2)}\n`
        )
    })
  }
}

function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  { failure, description, stamp }: { failure: Failure; description: Description; stamp: string }
): void {
  const nonce = randomBytes(16).toString('base64')
  const once = request.method !== 'GET' && request.method !== 'HEAD'
  response.setHeader('content-security-policy', contentSecurityPolicy(nonce))
  const page = failurePage({ failure, description, nonce, script: clientScript(stamp), once })
  send(request, response, 'text/html; charset=utf-8', page)
}

function send({ method }: IncomingMessage, response: ServerResponse, type: string, body: string): void {
  response.writeHead(500, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'accept'
  })
  response.end(method === 'HEAD' ? undefined : body)
}
