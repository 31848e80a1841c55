import http from 'node:http'
import t from 'tap'
import { reload } from '../support/deploy.js'
import { get, until } from '../support/fixture.js'
import { MetricsApp, NeverFalls } from '../support/metrics-app.js'

t.test('sums never fall and nothing is lost, whoever is replaced', async (t) => {
  const app = new MetricsApp(t)
  const { fixture } = app
  await app.serving(2)
  const never = new NeverFalls(t, app)

  let asked = 0
  let running = true
  const client = async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (running) {
      const { status } = await get({ port: app.port, host: '127.0.0.1', agent }, '/')
      asked += 1
      if (status !== 200) throw new Error(`answered ${status}`)
    }
    agent.destroy()
  }
  const clients = Promise.all([client(), client()])
  t.equal(await reload(fixture), 'done')

  const serviceOf = async () => {
    const { processes } = (await app.json('/status')).body as { processes: { role: string; pid: number }[] }
    return processes.find(({ role }) => role === 'service')?.pid
  }
  const pid = await serviceOf()
  process.kill(pid as number, 'SIGKILL')
  await until(async () => ![pid, undefined].includes(await serviceOf().catch(() => pid)), 'another service')
  // While nobody served the page, scrapes may have failed, but nothing has fallen.
  const failed = never.fallen.filter((one) => /ECONNRESET|EPIPE|socket hang up/.test(one))
  t.ok(failed.length <= 1, 'only the scrape that was cut')
  never.fallen.splice(0, never.fallen.length, ...never.fallen.filter((one) => !failed.includes(one)))

  t.equal(await reload(fixture), 'done')
  running = false
  await clients

  await app.reaches('mapache_http_requests_total', asked)
  await app.reaches('mapache_http_request_duration_seconds_count', asked)
  await app.reaches('app_hits_total', asked)
  await app.reaches('app_cost_ratio_count', asked)

  await t.test('a crash, and what was open in it', async (t) => {
    await t.rejects(get(app.port, '/exit'))
    await app.reaches('mapache_worker_crashes_total', 1, /reason="crash"/)
    await fixture.workersServing(2)
    await app.reaches('mapache_http_requests_total', 1, /aborted/)
    await app.reaches('app_hits_total', 1, /exit/)
    await app.reaches('mapache_worker_restarts_total', 1)
  })
  await t.test('a client that goes, and an error', async (t) => {
    t.equal((await get(app.port, '/fail')).status, 500)
    await app.reaches('mapache_http_requests_total', 1, /5xx/)
    const request = http.get({ port: app.port, host: '127.0.0.1', path: '/open', agent: false })
    request.on('error', () => {}).on('response', () => request.destroy())
    await app.reaches('mapache_http_requests_total', 2, /aborted/)
  })
  await t.test('SIGKILL takes no more than the last second', async () => {
    await get(app.port, '/').then(() => app.reaches('app_hits_total', asked + 1, /path="\/"/))
    await t.rejects(get(app.port, '/kill'))
    await app.reaches('mapache_worker_crashes_total', 2, /reason="crash"/)
    await app.reaches('app_hits_total', asked + 1, /path="\/"/)
    await fixture.workersServing(2)
  })

  t.strictSame(await never.end(), [])
  t.ok(never.scrapes > 20, `${never.scrapes} scrapes`)
  const { samples } = await app.scrape()
  t.equal(samples.get('mapache_reloads_total{kind="reload",result="done"}'), 2)
  t.equal(samples.get('mapache_generation'), 3, 'and not what the app says')
  await app.reaches('app_workers', 2)
  t.equal(samples.get('mapache_workers{state="serving"}'), 2)
  t.equal(samples.get('mapache_worker_drain_duration_seconds_count'), 4)
  await app.stop()
})

t.test('what is counted in a drain, and after it', async (t) => {
  const app = new MetricsApp(t)
  await app.serving(2)
  const slow = [get(app.port, '/slow/1'), get(app.port, '/slow/2'), get(app.port, '/slow/3')]
  await app.reaches('app_hits_total', 3)
  t.equal(await reload(app.fixture), 'done')
  for (const { body } of await Promise.all(slow)) t.equal(body, 'slowly')
  await app.reaches('mapache_worker_drain_duration_seconds_count', 2)
  await app.reaches('mapache_http_requests_total', 3, /2xx/)
  await app.reaches('app_hits_total', 3, /late/)
  await app.reaches('app_exits_total', 2)
  await app.stop()
})
