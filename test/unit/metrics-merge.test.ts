import t from 'tap'
import { addExactly, exactSum } from '#metrics/exact-sum.js'
import { formatLabels } from '#metrics/labels.js'
import type { AppMetric, AppSample } from '#metrics/report.js'
import { emptyRequests, parseMetric } from '#metrics/report.js'
import { mergeApp } from '#metrics/service/merge.js'
import { Departed } from '#metrics/supervisor/departed.js'
import { Journal } from '#metrics/supervisor/journal.js'
import { Ledger } from '#metrics/supervisor/ledger.js'

const metric = (type: AppMetric['type'], value: AppSample[2], more: Partial<AppMetric> = {}): AppMetric => {
  return { name: 'it', type, help: 'It.', aggregator: 'sum', samples: [['it', '', value]], ...more }
}

const account = (...metrics: AppMetric[]) => ({
  requests: emptyRequests(1),
  metrics: new Map(metrics.map((one) => [one.name, one]))
})

const merged = (departed: AppMetric[], ...workers: AppMetric[][]) => {
  const accounts = workers.map((one, index) => [index + 1, account(...one)] as const)
  return mergeApp({ departed: account(...departed), workers: new Map(accounts) })
}

const value = (...[departed, ...workers]: Parameters<typeof merged>) =>
  merged(departed, ...workers)[0]?.samples[0]?.value

t.test('counters, histograms and summaries are summed, with those of workers that have left', async (t) => {
  for (const type of ['counter', 'histogram', 'summary'] as const) {
    // Whatever an aggregator says: what it counted must not be lost.
    const one = (n: number) => metric(type, n, { aggregator: 'max' })
    t.equal(value([one(5)], [one(2)], [one(3)]), 10)
  }
  t.strictSame(merged([metric('gauge', 5)]), [], 'a gauge leaves with its worker')
})

t.test('gauges by their aggregator', async (t) => {
  for (const [aggregator, expected] of [
    ['sum', 12],
    ['min', 1],
    ['max', 8],
    ['average', 4],
    ['first', 8]
  ] as const) {
    const one = (n: number) => [metric('gauge', n, { aggregator })]
    t.equal(value([], one(1), one(3), one(8)), expected, aggregator)
  }
  t.strictSame(merged([], [metric('gauge', 1, { aggregator: 'omit' })]), [])
  t.equal(
    value([], [metric('gauge', '+Inf', { aggregator: 'max' })], [metric('gauge', 2, { aggregator: 'max' })]),
    Infinity
  )
})

t.test('labels are kept apart, and our own names to ourselves', async (t) => {
  const one = (samples: AppSample[]) => [metric('counter', 0, { samples })]
  const [family] = merged(
    [],
    one([
      ['it', 'a="1"', 1],
      ['it', 'a="2"', 2]
    ]),
    one([['it', 'a="2"', 3]])
  )
  t.strictSame(
    new Map(family?.samples.map(({ labels, value }) => [labels, value])),
    new Map([
      ['a="2"', 5],
      ['a="1"', 1]
    ])
  )
  t.strictSame(merged([], [metric('counter', 1, { name: 'mapache_http_requests_total' })]), [])
})

t.test('where two generations mean different things by a name, the new one counts', async (t) => {
  const [family] = merged([metric('counter', 7)], [metric('counter', 1)], [metric('gauge', 2)])
  t.match(family, { type: 'gauge', samples: [{ value: 2 }] })
})

t.test('a sum of fractions is the same in any order, and never falls', async (t) => {
  const values = Array.from({ length: 200 }, (_, index) => ((index * 7919) % 1013) / 977 + 2 ** ((index % 60) - 40))
  const sum = exactSum(values)
  t.equal(exactSum([...values].reverse()), sum)
  t.equal(exactSum([...values].sort((a, b) => a - b)), sum)
  const parts: number[] = []
  for (const one of values.slice(0, 150)) addExactly(parts, one)
  t.equal(exactSum([...parts, ...values.slice(150)]), sum, 'whoever has left')
  t.equal(exactSum([1e308, 1, -1e308]), 1)
  t.equal(exactSum([1, 2 ** -53, 2 ** -106]), 1 + 2 ** -52, 'rounded once')
  t.equal(exactSum([]), 0)
  t.ok(Number.isNaN(exactSum([1, Number.NaN])))
  t.equal(exactSum([1, Infinity]), Infinity)
})

t.test('the ledger tells what has changed, and keeps what workers that left have counted', async (t) => {
  const ledger = new Ledger(1)
  const requests = (count: number) => ({ counts: [count], buckets: [count, 0], micros: count, active: 1 })
  const text = (n: number) => JSON.stringify(metric('counter', n))
  ledger.launched(1)
  ledger.launched(2)
  ledger.requests(1, requests(3))
  ledger.metrics(1, { 'it#0': text(4) })
  ledger.metrics(2, { 'it#0': text(1) })
  const first = ledger.changes(0)
  t.strictSame(first.changes, [
    { worker: 1, requests: requests(3) },
    { worker: 1, metrics: { 'it#0': text(4) } },
    { worker: 2, metrics: { 'it#0': text(1) } }
  ])
  t.strictSame(ledger.changes(first.sequence).changes, [], 'nothing is told twice')

  ledger.left(1)
  t.strictSame(ledger.workers, [2])
  const { changes } = ledger.changes(first.sequence)
  t.match(changes, [{ worker: 0, requests: { micros: 3 } }, { worker: 0 }])
  t.equal(parseMetric(changes[1]?.metrics?.['it#0'] as string).samples[0]?.[2], 4)

  ledger.requests(1, requests(99))
  ledger.requests(77, requests(99))
  ledger.left(1)
  t.match(ledger.changes(0).changes[1], { worker: 0, requests: { micros: 3 } }, 'who has left says nothing more')
  ledger.metrics(2, { 'it#0': null })
  t.strictSame(ledger.changes(0).changes.at(-1), { worker: 2, metrics: { 'it#0': null } })
})

t.test('what a worker says that is no metric harms nobody', async (t) => {
  const ledger = new Ledger(1)
  ledger.launched(1)
  ledger.metrics(1, {
    a: '{',
    b: 'null',
    c: JSON.stringify(metric('counter', 1, { name: 'a b' })),
    ok: JSON.stringify(metric('counter', 1))
  })
  ledger.left(1)
  t.equal(Object.keys(ledger.changes(0).changes[0]?.metrics ?? {}).length, 1)
  // More than a worker may have.
  ledger.launched(2)
  for (let part = 0; part < 100; part += 1) ledger.metrics(2, { [`big#${part}`]: 'x'.repeat(200_000) })
  const kept: string[] = []
  for (let since = 0, more = true; more; ) {
    const batch = ledger.changes(since)
    for (const { metrics = {} } of batch.changes) kept.push(...Object.keys(metrics).filter((key) => /^big/.test(key)))
    since = batch.sequence
    more = batch.more
  }
  t.equal(kept.length, 39)
})

t.test('those that left, of new code that measures something else', async (t) => {
  const journal = new Journal()
  const departed = new Departed(journal)
  const many = Array.from({ length: 300 }, (_, index): AppSample => ['it', `a="${index}"`, 1])
  departed.add(metric('counter', 1, { samples: many }))
  departed.add(metric('histogram', 2))
  departed.add(metric('gauge', 3))
  const { changes, sequence } = journal.batch(0)
  t.strictSame(Object.keys(changes[0]?.metrics ?? {}).sort(), ['it#0', 'it#1'])
  t.match(JSON.parse(changes[0]?.metrics?.['it#0'] as string), { type: 'histogram', samples: [['it', '', 2]] })
  t.equal(changes[0]?.metrics?.['it#1'], null, 'what is left of the old is taken back')
  t.strictSame(journal.batch(sequence).changes, [])
})

t.test('labels', async (t) => {
  t.equal(formatLabels({ b: 'x', a: 1, none: undefined }), 'a="1",b="x"')
  t.equal(formatLabels({ a: 'back\\slash "quoted"\nline' }), 'a="back\\\\slash \\"quoted\\"\\nline"')
})

t.test('labels are taken as they are printed, or not at all', async (t) => {
  const read = (labels: string) => parseMetric(JSON.stringify(metric('counter', 1, { samples: [['it', labels, 1]] })))
  const odd = formatLabels({ a: 'back\\slash "quoted"\nline, é', b_2: '', le: '+Inf' })
  for (const labels of ['', odd, `a="${'x'.repeat(150_000)}"`]) t.equal(read(labels).samples[0]?.[1], labels)
  for (const labels of [
    'a="x\ny"',
    'a="x"\nb 1',
    'a="x"} 1\nother{b="y"',
    'a="x"y"',
    'a="x\\',
    'a="\\x"',
    'a="x",',
    ',a="x"',
    'a=x',
    '1a="x"',
    'a-b="x"',
    'a="x",a="y"',
    '__name__="x"'
  ]) {
    t.throws(() => read(labels), TypeError, JSON.stringify(labels))
  }
})
