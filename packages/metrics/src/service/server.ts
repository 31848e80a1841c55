import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ClusterStatus } from '@mapache/core'
import type { Dashboard } from '../overview.js'
import { checkHost } from '../page/guard.js'
import { CONTENT_TYPES, expose, type Family, negotiate } from './exposition.js'
import { readiness } from './readiness.js'

export interface Sources {
  /** @throws when the supervisor does not answer */
  status(): Promise<ClusterStatus>
  /** @throws when the supervisor does not answer */
  families(): Promise<Family[]>
  /** Gets what is none of the pages here. */
  dashboard: Dashboard
  /**
   * Names that the pages which tell of the cluster are known by, beside localhost and addresses. Undefined: others are meant
   * to reach them, by whatever name.
   */
  hosts?: readonly string[] | undefined
}

/** Serves the pages. What goes wrong with one request harms no other. */
export function createPages(sources: Sources): Server {
  return createServer((request, response) => {
    answer(sources, request, response).catch((error) => {
      if (response.headersSent) return void response.destroy()
      const reason = error instanceof Error ? error.message : String(error)
      send(request, response, 503, JSON.stringify({ status: 'unavailable', reason }))
    })
  })
}

async function answer(sources: Sources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined
  if (!page) {
    if (await sources.dashboard(request, response)) return
    return send(request, response, 404, JSON.stringify({ status: 'unknown', pages: Object.keys(PAGES) }))
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return send(request, response, 405, JSON.stringify({ status: 'refused', reason: 'use GET' }))
  }
  const refusal = sources.hosts && !PROBES.has(path) ? checkHost(request.headers, sources.hosts) : undefined
  if (refusal) {
    return send(request, response, refusal.status, JSON.stringify({ status: 'refused', reason: refusal.error }))
  }
  await page(sources, request, response)
}

type Page = (sources: Sources, request: IncomingMessage, response: ServerResponse) => Promise<void>

const PAGES: Readonly<Record<string, Page>> = {
  '/metrics': async ({ families }, request, response) => {
    const format = negotiate(request.headers.accept)
    send(request, response, 200, expose(await families(), format), CONTENT_TYPES[format])
  },
  '/healthz': async ({ status }, request, response) => {
    await status()
    send(request, response, 200, JSON.stringify({ status: 'ok' }))
  },
  '/readyz': async ({ status }, request, response) => {
    const { serving, target, generation, stopping } = await status()
    const { ok, reason } = readiness({ serving, target, stopping })
    const body = { status: ok ? 'ready' : 'unavailable', reason, serving, target, generation }
    send(request, response, ok ? 200 : 503, JSON.stringify(body))
  },
  '/status': async ({ status }, request, response) => {
    send(request, response, 200, JSON.stringify(await status()))
  }
}

/** They tell nothing that is worth a name of one's own, and probes come with any. */
const PROBES = new Set(['/healthz', '/readyz'])

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string,
  type = 'application/json; charset=utf-8'
): void {
  const text = `${body.trimEnd()}\n`
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // What it carries is not read.
    ...(request.method === 'GET' || request.method === 'HEAD' ? {} : { connection: 'close' })
  })
  response.end(text)
}
