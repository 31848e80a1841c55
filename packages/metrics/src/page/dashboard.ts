import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dashboard, DashboardOptions } from '../overview.js'
import { Actions, type Reply } from './actions.js'
import type { Credential } from './credential.js'
import { makePage, PAGE_HEADERS } from './document.js'
import { checkHost, checkReader, type Refusal } from './guard.js'
import { Streams } from './streams.js'
import { entryOf, newestOf, Watch } from './watch.js'

export interface PageOptions extends Omit<DashboardOptions, 'password'> {
  /** Checks the password of the buttons; without it there are none. */
  credential?: Credential | undefined
  /** Names that the service is known by, as in the browser's address bar; addresses and localhost need none. */
  hosts?: readonly string[]
  /** Writes to the log of the process: who did what, from where. */
  log?(level: 'info' | 'warn', message: string): void
  /** Most pages that are open at once; default 32. */
  streams?: number
}

/**
 * The live dashboard: `GET /`, `GET /events` and `POST /actions/…`. It does nothing while no page is open.
 * @returns takes a request if it is one of these, and tells whether it did
 */
export function dashboard(options: PageOptions): Dashboard {
  const { cluster, credential, hosts = [], retiring, log = () => {}, streams: most = 32 } = options
  const page = makePage(credential !== undefined)

  const watch = new Watch(options, {
    frame: (frame) => streams.tellAll('frame', frame),
    entry: (entry) => streams.tellAll('entry', entry),
    gone: (gone) => streams.tellAll('gone', gone),
    outcome: (outcome) => streams.tellAll('outcome', outcome)
  })
  const streams = new Streams({ most, wake: () => watch.begin(), sleep: () => watch.end() })
  const actions = new Actions({
    cluster,
    credential,
    outcome: (outcome) => streams.tellAll('outcome', outcome),
    // The pages hear of it with the rest of the log.
    audit: log
  })
  if (retiring.aborted) streams.end()
  else retiring.addEventListener('abort', () => streams.end(), { once: true })

  async function stream(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!streams.begin(request, response)) {
      return answer(response, 503, { error: 'Too many pages are open.' }, { 'retry-after': '5', connection: 'close' })
    }
    streams.tell(response, 'hello', { page: page.id, history: watch.history })
    const { frame } = watch
    if (frame) streams.tell(response, 'frame', frame)
    const lines = await cluster.tail(LOG_LINES).catch(() => [])
    streams.tell(response, 'log', newestOf(lines.map(entryOf)))
  }

  function read(request: IncomingMessage, response: ServerResponse, path: string): unknown {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(response, 405, { error: 'Use GET.' }, { allow: 'GET, HEAD' })
    }
    if (path === '/') {
      response.writeHead(200, { ...PAGE_HEADERS, 'content-length': page.body.length, ...page.headers })
      return response.end(request.method === 'HEAD' ? undefined : page.body)
    }
    const refusal = checkReader(request.headers)
    if (refusal) return refuse(response, refusal)
    if (request.method === 'HEAD') return answer(response, 405, { error: 'Use GET.' }, { allow: 'GET' })
    return stream(request, response)
  }

  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1)
    const action = path.startsWith(ACTIONS) ? path.slice(ACTIONS.length) : undefined
    if (path !== '/' && path !== '/events' && action === undefined) return false
    const refusal = checkHost(request.headers, hosts)
    if (refusal) refuse(response, refusal)
    else if (action === undefined) void read(request, response, path)
    else
      void actions.call(action, request).then(
        (reply) => tell(request, response, reply),
        // Whoever asked has gone.
        () => response.destroy()
      )
    return true
  }
}

function tell(request: IncomingMessage, response: ServerResponse, { status, body, retryAfter }: Reply): void {
  const headers: Record<string, string> = {}
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter / 1_000)))
  // Not Basic: the browser would ask for the password itself, and keep it.
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="mapache"'
  if (status === 405) headers.allow = 'POST'
  // What is left of a refused body is not waited for.
  if (!request.complete) headers.connection = 'close'
  answer(response, status, body, headers)
}

function refuse(response: ServerResponse, { status, error }: Refusal): void {
  answer(response, status, { error })
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...headers
  })
  response.end(text)
}

const ACTIONS = '/actions/'
const LOG_LINES = 200
