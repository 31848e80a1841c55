import client, { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import t from 'tap'
import type { AppMetric, AppReport, RequestReport } from '#metrics/report.js'
import { AppMetrics } from '#metrics/worker/app-metrics.js'
import { readNow } from '#metrics/worker/read-now.js'
import { findRegistries, type PromRegistry, register } from '#metrics/worker/registries.js'
import { Reporter } from '#metrics/worker/reporter.js'
import { RequestCounts } from '#metrics/worker/requests.js'

function setUp() {
  const registry = new Registry()
  const registers = [registry]
  registry.setDefaultLabels({ app: 'shop' })
  return {
    registry,
    jobs: new Counter({ name: 'jobs_total', help: 'Jobs.', labelNames: ['kind'], registers }),
    size: new Gauge({ name: 'size', help: 'Size.', aggregator: 'max', registers }),
    time: new Histogram({ name: 'time_seconds', help: 'Time.', labelNames: ['kind'], buckets: [0.1, 1], registers }),
    wait: new Summary({ name: 'wait_seconds', help: 'Wait.', registers })
  }
}

const read = (report: AppReport) => {
  const metrics = Object.values(report).map((text) => JSON.parse(text as string) as AppMetric)
  return new Map(
    metrics.flatMap(({ samples }) => samples.map(([name, labels, value]) => [`${name}{${labels}}`, value]))
  )
}

t.test('what is told are the metrics that have changed, with their labels and aggregators', async (t) => {
  const { registry, jobs, size, time, wait } = setUp()
  const app = new AppMetrics(() => new Set([registry]))
  jobs.inc({ kind: 'a' }, 2)
  size.set(Number.NaN)
  time.observe({ kind: 'b' }, 0.5)
  wait.observe(3)
  const report = await app.changes()
  t.strictSame(Object.keys(report), ['jobs_total#0', 'size#0', 'time_seconds#0', 'wait_seconds#0'])
  t.match(JSON.parse(report['size#0'] as string), { type: 'gauge', aggregator: 'max', help: 'Size.' })
  t.strictSame(
    read(report),
    new Map<string, unknown>([
      ['jobs_total{app="shop",kind="a"}', 2],
      ['size{app="shop"}', 'NaN'],
      ['time_seconds_bucket{app="shop",kind="b",le="0.1"}', 0],
      ['time_seconds_bucket{app="shop",kind="b",le="1"}', 1],
      ['time_seconds_bucket{app="shop",kind="b",le="+Inf"}', 1],
      ['time_seconds_sum{app="shop",kind="b"}', 0.5],
      ['time_seconds_count{app="shop",kind="b"}', 1],
      ['wait_seconds_sum{app="shop"}', 3],
      ['wait_seconds_count{app="shop"}', 1]
    ]),
    'and no quantiles'
  )
  t.strictSame(await app.changes(), {})
  jobs.inc({ kind: 'a' })
  t.strictSame(Object.keys(await app.changes()), ['jobs_total#0'])
  registry.removeSingleMetric('size')
  t.strictSame(await app.changes(), { 'size#0': null })
})

t.test('what is read at the end is what prom-client itself would tell', async (t) => {
  const { registry, jobs, time, wait } = setUp()
  const app = new AppMetrics(() => new Set([registry]))
  for (const kind of ['a', 'b', 'c']) {
    jobs.inc({ kind })
    time.observe({ kind }, 0.01)
    time.observe({ kind }, 7)
  }
  wait.observe(1)
  await app.changes()
  t.strictSame(app.lastChanges(), {}, 'nothing is new, to the letter')
  jobs.inc({ kind: 'a' }, 4)
  time.observe({ kind: 'd' }, 0.2)
  const last = app.lastChanges()
  t.strictSame(Object.keys(last), ['jobs_total#0', 'time_seconds#0'])
  t.equal(read(last).get('jobs_total{app="shop",kind="a"}'), 5)
  t.equal(read(last).get('time_seconds_count{app="shop",kind="d"}'), 1)
  t.strictSame(await app.changes(), {}, 'and is not told again')
})

t.test('a registry of another make is read by its public function alone', async (t) => {
  const odd = {
    getMetricsAsJSON: () => [
      { name: 'odd', type: 'counter', values: [{ value: 1 }] },
      { name: 'no', type: 7 }
    ]
  }
  t.strictSame(readNow(odd), [])
  const stranger = {
    getMetricsAsJSON: () => [],
    getMetricsAsArray: () => [null, { hashMap: { a: { value: 'x' } }, type: 'counter' }]
  }
  t.strictSame(readNow(stranger), [])
  t.match(read(await new AppMetrics(() => new Set([odd])).changes()), new Map([['odd{}', 1]]))
})

t.test('a forked worker starts from zero, but keeps what gauges are set to', async (t) => {
  const { registry, jobs, size, time } = setUp()
  const app = new AppMetrics(() => new Set([registry]))
  jobs.inc({ kind: 'a' }, 5)
  size.set(3)
  time.observe({ kind: 'a' }, 0.5)
  app.forked()
  const report = read(await app.changes())
  t.equal(report.get('jobs_total{app="shop",kind="a"}'), 0)
  t.equal(report.get('time_seconds_bucket{app="shop",kind="a",le="1"}'), 0)
  t.equal(report.get('size{app="shop"}'), 3)
  jobs.inc({ kind: 'a' })
  t.equal(read(app.lastChanges()).get('jobs_total{app="shop",kind="a"}'), 1)
})

t.test('a metric that cannot be read spares the others, and is told of once', async (t) => {
  const { registry, jobs } = setUp()
  const printed = t.capture(console, 'error')
  let fails = false
  const collect = () => {
    if (fails) throw new Error('no such thing')
  }
  new Counter({ name: 'odd_total', help: 'Odd.', registers: [registry], collect }).inc(7)
  const whole = { getMetricsAsJSON: () => Promise.reject(new Error('no registry')) }
  const registries = new Set<PromRegistry>([registry])
  const app = new AppMetrics(() => registries)
  await app.changes()
  fails = true
  jobs.inc({ kind: 'a' })
  registry.removeSingleMetric('size')
  const report = await app.changes()
  t.strictSame(Object.keys(report), ['jobs_total#0', 'size#0'], 'what was told of it stays')
  t.equal(read({ jobs: report['jobs_total#0'] as string }).get('jobs_total{app="shop",kind="a"}'), 1)
  registries.add(whole)
  jobs.inc({ kind: 'a' })
  t.strictSame(Object.keys(await app.changes()), ['jobs_total#0'])
  t.match(
    printed().map(({ args }) => args),
    [
      [/metric odd_total could not be read/, { message: 'no such thing' }],
      [/own metrics could not be read/, { message: 'no registry' }]
    ]
  )
  app.forked()
  await app.changes()
  t.equal(printed().length, 2, 'another worker tells of it itself')
})

t.test("the CPU time of a fork begins at zero: prom-client's counters of it do not fail", async (t) => {
  const registry = new Registry()
  const printed = t.capture(console, 'error')
  const usage = t.capture(process, 'cpuUsage', () => ({ user: 9_000_000, system: 5_000_000 }))
  client.collectDefaultMetrics({ register: registry })
  const app = new AppMetrics(() => new Set([registry]))
  usage.restore()
  let used = 2_000
  t.intercept(process, 'cpuUsage', { value: () => ({ user: used, system: used }) })
  app.forked()
  used += 500_000
  const first = read(await app.changes())
  t.equal(first.get('process_cpu_user_seconds_total{}'), 0.5)
  t.equal(first.get('process_cpu_seconds_total{}'), 1)
  t.ok(first.has('process_resident_memory_bytes{}') || first.has('nodejs_eventloop_lag_seconds{}'))
  t.strictSame(printed(), [])
})

t.test('a metric with many samples is told in parts, and parts that are gone are taken back', async (t) => {
  const { registry, jobs } = setUp()
  const app = new AppMetrics(() => new Set([registry]))
  for (let kind = 0; kind < 450; kind += 1) jobs.inc({ kind })
  const parts = Object.keys(await app.changes()).filter((key) => key.startsWith('jobs'))
  t.strictSame(parts, ['jobs_total#0', 'jobs_total#1', 'jobs_total#2'])
  jobs.reset()
  jobs.inc({ kind: 1 })
  t.match(app.lastChanges(), { 'jobs_total#1': null, 'jobs_total#2': null })
})

t.test('registries are found, and can be named', async (t) => {
  t.ok(findRegistries().has(client.register), "prom-client's own")
  const { registry } = setUp()
  register(registry)
  t.ok(findRegistries().has(registry))
  t.throws(() => register({} as Registry), TypeError)
})

t.test('the reporter tells nothing before it begins, and what is new at the end', async (t) => {
  const { registry, jobs } = setUp()
  const counts = new RequestCounts([1])
  const sent: [string, RequestReport | { metrics: AppReport }][] = []
  const app = new AppMetrics(() => new Set([registry]))
  const reporter = new Reporter(counts, app, (message, data) => sent.push([message, data]))
  t.teardown(() => reporter.end())
  counts.answered(0, 200, 5)
  reporter.last()
  t.strictSame(sent, [])

  reporter.begin()
  reporter.last()
  t.match(sent, [
    ['requests', { buckets: [1, 0] }],
    ['app', {}]
  ])
  sent.length = 0
  reporter.last()
  t.strictSame(sent, [])
  jobs.inc({ kind: 'x' })
  reporter.last()
  t.match(sent, [['app', { metrics: { 'jobs_total#0': /jobs/ } }]])

  sent.length = 0
  reporter.forked()
  jobs.inc({ kind: 'x' })
  reporter.begin()
  reporter.last()
  t.equal(sent.length, 1, 'no request yet')
  reporter.end()
  counts.answered(0, 200, 5)
  reporter.last()
  t.equal(sent.length, 1)
})
