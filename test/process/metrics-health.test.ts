import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { get, start, until } from '../support/fixture.js'
import { hashOf } from '../support/metrics.js'
import { MetricsApp } from '../support/metrics-app.js'

t.test('ready while anybody serves, not ready when nobody does or a stop has begun', async (t) => {
  const app = new MetricsApp(t, 'stopIdleGrace: 50')
  const { fixture } = app
  await app.serving(2)
  const seen: number[] = []
  let running = true
  const look = async () => {
    while (running) seen.push(await app.ask('/readyz'))
  }
  const looking = look()
  t.equal(await reload(fixture), 'done')
  running = false
  await looking
  t.strictSame([...new Set(seen)], [200], `a reload changes nothing, ${seen.length} times`)
  t.match(await app.json('/readyz'), { status: 200, body: { status: 'ready', generation: 2, target: 2 } })

  // What replaces them does not boot before the test is over: the app's file is gone.
  put(path.join(t.testdirName, 'app.mjs'), 'throw new Error("no")')
  for (const pid of fixture.workers) process.kill(pid, 'SIGKILL')
  await until(async () => (await app.ask('/readyz')) === 503, 'not ready')
  t.match(await app.json('/readyz'), { status: 503, body: { reason: 'no worker serves', serving: 0 } })
  t.equal(await app.ask('/healthz'), 200, 'the supervisor is there')
  await app.reaches('mapache_workers', 0, /serving/)

  put(
    path.join(t.testdirName, 'app.mjs'),
    `export default () => (req, res) => { if (req.url === '/open') res.write('o'); else res.end('ok') }`
  )
  await until(async () => (await app.ask('/readyz')) === 200, 'ready again')

  const open = http.get({ port: app.port, host: '127.0.0.1', path: '/open', agent: false })
  const [response] = await new Promise<[http.IncomingMessage]>((resolve) =>
    open.on('response', (one) => resolve([one]))
  )
  open.on('error', () => {})
  fixture.kill('SIGTERM')
  await until(async () => (await app.ask('/readyz')) === 503, 'the stop')
  t.match(await app.json('/readyz'), { status: 503, body: { reason: 'the cluster is stopping' } })
  t.match(await app.json('/status'), { status: 200, body: { stopping: true } })
  response.destroy()
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(fixture.processes(), [])
})

t.test('a port, and what others may reach', async (t) => {
  const folder = t.testdir()
  const entry = put(
    path.join(folder, 'server.mjs'),
    `import { mapacheHttp } from '@mapache/core'
import { metrics } from '@mapache/metrics'
const page = metrics(JSON.parse(process.env.OPTIONS))
await mapacheHttp(() => (req, res) => res.end('ok'), { workers: 1, modules: [page] }).listen(0, '127.0.0.1')`
  )
  const refused = start(t, entry, { cwd: folder, env: { OPTIONS: '{"host":"0.0.0.0"}' } })
  t.equal((await refused.exit()).code, 1)
  t.match(refused.output, /MAPACHE_OPTION_INVALID: metrics: host 0\.0\.0\.0 can be reached from elsewhere/)

  const port = await freePort()
  const fixture = start(t, entry, {
    cwd: folder,
    env: { OPTIONS: JSON.stringify({ port, buckets: [0.5], password: hashOf('secret') }) }
  })
  await fixture.port()
  const page = async () => (await get(port, '/metrics').catch(() => undefined))?.body ?? ''
  await until(
    async () => (await page()).includes('mapache_http_request_duration_seconds_bucket{le="0.5"} 0\n'),
    'the page'
  )

  // The dashboard, whose requests and events are the real ones.
  t.match(await get(port), { status: 200, headers: { 'content-type': /html/ } })
  const events = http.get({ port, host: '127.0.0.1', path: '/events', agent: false })
  const [stream] = (await once(events, 'response')) as [http.IncomingMessage]
  let told = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  await until(
    () => /"serving":1/.test(told),
    'the overview',
    () => told
  )
  const act = (password: string) => {
    const authorization = `Bearer ${Buffer.from(password).toString('base64')}`
    const headers = { authorization, 'x-mapache': '1', 'content-type': 'application/json' }
    return fetch(`http://127.0.0.1:${port}/actions/reload`, { method: 'POST', headers, body: '{}' })
  }
  t.equal((await act('wrong')).status, 401)
  t.match((await act('secret')).status, /^20\d$/)
  await fixture.printed(/reloaded: gen=2/)
  stream.on('error', () => {})
  stream.destroy()

  // Scrapes from many at once, and rubbish, cost the supervisor next to nothing and harm nobody.
  const asked = await Promise.all(
    Array.from({ length: 200 }, (_, index) => get(port, index % 2 ? '/metrics' : `/%${index}`))
  )
  t.strictSame([...new Set(asked.map(({ status }) => status))].sort(), [200, 404])
  t.notMatch(fixture.output, /too many messages/)
  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
})

/** A port that nobody listens on at this moment. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
