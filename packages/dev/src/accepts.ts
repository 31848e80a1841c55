import type { IncomingMessage } from 'node:http'

/**
 * Whether a request wants a page to look at: browsers name text/html when they load one. What scripts fetch, curl and API
 * clients say that they take anything, and do not name it.
 */
export function wantsPage({ headers }: IncomingMessage): boolean {
  return /\btext\/html\b/i.test(headers.accept ?? '')
}

/** Whether a browser loads it into a window or a frame, as far as that is told; what scripts fetch is a part of a page. */
export function isNavigation(request: IncomingMessage): boolean {
  const destination = request.headers['sec-fetch-dest']
  return wantsPage(request) && (destination === undefined || /^(document|i?frame)$/.test(String(destination)))
}
