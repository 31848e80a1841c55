import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { ClusterStatus } from '@mapache/core'
import t, { type Test } from 'tap'
import { checkApp, checkPull, checkRequests } from '#metrics/messages.js'
import { checkOptions, type MetricsOptions } from '#metrics/options.js'
import { emptyRequests } from '#metrics/report.js'
import { createPages, type Sources } from '#metrics/service/server.js'
import { get } from '../support/fixture.js'

const status = (more: Partial<ClusterStatus> = {}) => {
  const vitals = {
    requests: 9,
    inFlight: 1,
    connections: 2,
    listening: true,
    utilisation: 0.5,
    delayP99: 3,
    rss: 4,
    heapUsed: 5
  }
  const worker = { id: 3, role: 'worker', generation: 1, place: 1, state: 'serving', vitals }
  return { serving: 2, target: 2, generation: 1, stopping: false, processes: [worker], ...more } as ClusterStatus
}

async function serve(t: Test, sources: Partial<Sources>): Promise<number> {
  const server = createPages({
    status: async () => status(),
    families: async () => [],
    dashboard: () => false,
    ...sources
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

t.test('the pages', async (t) => {
  const port = await serve(t, {})
  t.match(await get(port, '/metrics'), {
    status: 200,
    headers: { 'content-type': /^text\/plain; version=0.0.4/ },
    body: '\n'
  })
  const open = { port, headers: { accept: 'application/openmetrics-text; version=1.0.0' } }
  t.match(await get(open, '/metrics?x=%zz&&='), {
    status: 200,
    body: '# EOF\n',
    headers: { 'content-type': /openmetrics/ }
  })
  t.match(await get(port, '/healthz'), { status: 200, body: '{"status":"ok"}\n' })
  t.match(JSON.parse((await get(port, '/readyz')).body), {
    status: 'ready',
    reason: '2 of 2 workers serve',
    serving: 2
  })
  t.match(JSON.parse((await get(port, '/status')).body), { generation: 1 })
})

t.test('what is wrong with a request', async (t) => {
  const port = await serve(t, {})
  t.match(await get(port, '/'), { status: 404 })
  t.match(await get(port, '/constructor'), { status: 404 })
  t.match(await get({ port, method: 'HEAD' }, '/metrics'), {
    status: 200,
    body: '',
    headers: { 'content-length': '1' }
  })
  t.match(await get({ port, method: 'POST' }, '/status'), { status: 405, headers: { allow: 'GET, HEAD' } })
  for (const request of [
    'GET /metrics?%%% HTTP/1.1\r\nhost: a\r\n',
    'GET http://[ HTTP/1.1\r\nhost: a\r\n',
    `GET / HTTP/1.1\r\nx: ${'x'.repeat(90_000)}\r\n`
  ]) {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(`${request}connection: close\r\n\r\n`)
    const [first] = (await once(socket, 'data')) as [Buffer]
    t.match(first.toString(), /^HTTP\/1.1 (200|404|431) /)
    socket.destroy()
  }
  t.match(await get(port, '/healthz'), { status: 200 }, 'it serves on')
})

t.test('a name that is not known gets nothing that tells of the cluster, unless it is exposed', async (t) => {
  const port = await serve(t, { hosts: ['ops.example.com'] })
  const of = (host: string) => ({ port, headers: { host } })
  for (const page of ['/metrics', '/status']) {
    t.match(await get(of('evil.example'), page), { status: 421, body: /"refused".*evil\.example/ }, page)
    for (const host of ['127.0.0.1:9464', 'localhost', 'ops.example.com:443']) {
      t.match(await get(of(host), page), { status: 200 }, `${page} ${host}`)
    }
  }
  for (const page of ['/healthz', '/readyz']) t.match(await get(of('evil.example'), page), { status: 200 }, page)
  t.match(await get({ ...of('evil.example'), port: await serve(t, {}) }, '/metrics'), { status: 200 }, 'exposed')
})

t.test('a supervisor that does not answer, a cluster that does not serve', async (t) => {
  const late = async () => Promise.reject(new Error('the supervisor has not answered'))
  const port = await serve(t, { status: late, families: late })
  for (const page of ['/healthz', '/readyz', '/status', '/metrics']) {
    t.match(await get(port, page), { status: 503, body: /has not answered/ }, page)
  }
  const dead = await serve(t, { status: async () => status({ serving: 0 }) })
  t.match(await get(dead, '/readyz'), { status: 503, body: /no worker serves/ })
  t.match(await get(dead, '/healthz'), { status: 200 })
  const stopping = await serve(t, { status: async () => status({ stopping: true }) })
  t.match(await get(stopping, '/readyz'), { status: 503, body: /stopping/ })
})

t.test('the dashboard gets what is no page, and may leave it', async (t) => {
  const port = await serve(t, {
    dashboard: (request, response) => {
      if (request.url !== '/') return false
      response.end('dashboard')
      return true
    }
  })
  t.match(await get(port, '/'), { status: 200, body: 'dashboard' })
  t.match(await get(port, '/else'), { status: 404 })
})

t.test('options', async (t) => {
  t.match(checkOptions({}), { address: { port: 9464, host: '127.0.0.1' } })
  t.match(checkOptions({ path: '/run/a.sock' }), { address: { path: '/run/a.sock' } })
  for (const host of ['127.0.0.9', '::1', 'localhost']) checkOptions({ host })
  t.match(checkOptions({ host: '0.0.0.0', expose: true, port: 0 }), { address: { host: '0.0.0.0', port: 0 } })
  for (const wrong of [
    { host: '0.0.0.0' },
    { host: 'example.org' },
    { host: '::' },
    { host: '' },
    { port: 65_536 },
    { port: '9464' },
    { path: '' },
    { path: '/a', port: 1 },
    { expose: 1 },
    { hosts: 'example.org' },
    { buckets: [] },
    { buckets: [1, 1] },
    { buckets: [0] },
    { prot: 1 }
  ]) {
    t.throws(() => checkOptions(wrong as MetricsOptions), { code: 'MAPACHE_OPTION_INVALID' }, JSON.stringify(wrong))
  }
  for (const password of ['', 'secret7', 7 as never]) {
    const refused = { code: 'MAPACHE_CREDENTIAL_INVALID', message: /^((?!7).)*$/ }
    t.throws(() => checkOptions({ password }), refused, 'no secret in a message')
  }
})

t.test('what other processes say is checked', async (t) => {
  const requests = emptyRequests(2)
  t.strictSame(checkRequests({ ...requests, more: 1 }), requests)
  for (const wrong of [
    null,
    7,
    {},
    { ...requests, counts: [-1] },
    { ...requests, buckets: [Number.NaN] },
    { ...requests, counts: new Array(101).fill(0) },
    { ...requests, micros: 0.5 }
  ]) {
    t.throws(() => checkRequests(wrong), TypeError)
  }
  t.strictSame(checkApp({ metrics: { a: 'x', b: null } }), { a: 'x', b: null })
  for (const wrong of [null, {}, { metrics: null }, { metrics: { a: 1 } }]) t.throws(() => checkApp(wrong), TypeError)
  t.throws(() => checkPull({ request: 1 }), TypeError)
})
