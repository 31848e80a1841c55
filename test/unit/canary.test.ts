import t from 'tap'
import { addReport, emptyTally, judge, type Tally, wilsonLow } from '#core/cluster/canary.js'
import { bucketOf } from '#core/cluster/histogram.js'

const RULE = { soak: 30_000, maxErrorRate: 0.01, maxLatencyRatio: 2, minRequests: 100 }

interface Given {
  requests?: number
  errors?: number
  /** How long all of them took, and how long the slowest took; ms. */
  ms?: number
  slow?: readonly [count: number, ms: number]
  delays?: readonly number[]
  crashes?: number
}

function tally({
  requests = 1_000,
  errors = 0,
  ms = 10,
  slow = [0, 0],
  delays = [5, 5, 5],
  crashes = 0
}: Given): Tally {
  const counted = emptyTally()
  const latency: [number, number][] = [
    [bucketOf(ms), requests - slow[0]],
    [bucketOf(slow[1]), slow[0]]
  ]
  const report = { count: requests, errors, aborted: 0, latency: latency.filter(([, count]) => count > 0) }
  const nothing = { count: 0, errors: 0, aborted: 0, latency: [] }
  for (const [index, delay] of delays.entries()) addReport(counted, index === 0 ? report : nothing, delay)
  counted.crashes = crashes
  return counted
}

interface Row {
  name: string
  canary: Given
  old?: Given
  rule?: Partial<typeof RULE>
  /** What the verdict is before the end of the soak, and at its end. */
  early?: 'bad' | 'undecided'
  final: 'good' | 'bad'
  because?: RegExp
}

const ROWS: Row[] = [
  { name: 'as good as the old', canary: {}, final: 'good' },
  {
    name: 'every answer an error',
    canary: { errors: 1_000 },
    early: 'bad',
    final: 'bad',
    because: /100 % of its 1000/
  },
  { name: '5 of 5 are errors', canary: { requests: 5, errors: 5 }, early: 'bad', final: 'bad' },
  { name: '4 of 4 are errors', canary: { requests: 4, errors: 4 }, final: 'bad' },
  { name: 'one request, an error', canary: { requests: 1, errors: 1 }, final: 'bad' },
  { name: 'one error of fifty', canary: { requests: 50, errors: 1 }, final: 'good', because: /too little/ },
  { name: 'one error of a thousand', canary: { errors: 1 }, final: 'good' },
  { name: '1.5 % errors of a thousand are not surely above 1 %', canary: { errors: 15 }, final: 'good' },
  {
    name: '3 % errors of a thousand',
    canary: { errors: 30 },
    early: 'bad',
    final: 'bad',
    because: /^3 % of its 1000.*against 0 %$/
  },
  { name: '3 % errors, as the old ones have', canary: { errors: 30 }, old: { errors: 30 }, final: 'good' },
  { name: '3 % errors, allowed', canary: { errors: 30 }, rule: { maxErrorRate: 0.05 }, final: 'good' },
  {
    name: '30 % errors where the old have 10 %',
    canary: { errors: 300 },
    old: { errors: 100 },
    early: 'bad',
    final: 'bad'
  },
  { name: 'fewer errors than the old', canary: {}, old: { errors: 500 }, final: 'good' },
  { name: 'three times as slow', canary: { ms: 60 }, old: { ms: 20 }, final: 'bad', because: /p99 is .* ms, against/ },
  {
    name: 'three times as slow, allowed',
    canary: { ms: 60 },
    old: { ms: 20 },
    rule: { maxLatencyRatio: 4 },
    final: 'good'
  },
  { name: 'ten times as slow, by 5 ms', canary: { ms: 5.5 }, old: { ms: 0.5 }, final: 'good' },
  { name: 'a third as slow', canary: { ms: 10 }, old: { ms: 30 }, final: 'good' },
  { name: 'one slow answer of 100', canary: { requests: 100, slow: [1, 900] }, final: 'good' },
  { name: 'four slow answers of 100', canary: { requests: 100, slow: [4, 900] }, final: 'bad' },
  {
    name: 'slow, with 99 answers',
    canary: { requests: 99, ms: 900 },
    final: 'good',
    because: /too little traffic \(99 answers/
  },
  {
    name: 'slow, where the old had 99',
    canary: { ms: 900 },
    old: { requests: 99 },
    final: 'good',
    because: /too little/
  },
  {
    name: 'no traffic at all',
    canary: { requests: 0 },
    old: { requests: 0 },
    final: 'good',
    because: /too little traffic/
  },
  { name: 'too little traffic and a crash', canary: { requests: 0, crashes: 1 }, early: 'bad', final: 'bad' },
  { name: 'a crash', canary: { crashes: 1 }, early: 'bad', final: 'bad', because: /ended by itself/ },
  { name: 'a crash of an old worker', canary: {}, old: { crashes: 3 }, final: 'good' },
  {
    name: 'a loop that is late',
    canary: { delays: [300, 300, 300] },
    final: 'bad',
    because: /event loop is late by [23]\d\d(\.\d)? ms, against [45](\.\d)? ms/
  },
  { name: 'late without traffic', canary: { requests: 0, delays: [300, 300, 300] }, final: 'bad' },
  { name: 'late once of three', canary: { delays: [5, 900, 5] }, final: 'good' },
  { name: 'late by 40 ms', canary: { delays: [45, 45, 45] }, final: 'good' },
  { name: 'late as the old are', canary: { delays: [300, 300, 300] }, old: { delays: [200, 200, 200] }, final: 'good' },
  { name: 'late in both of two reports', canary: { delays: [300, 300] }, final: 'good' }
]

for (const { name, canary, old = {}, rule, early = 'undecided', final, because } of ROWS) {
  t.test(name, async (t) => {
    const given = { canary: tally(canary), old: tally(old), rule: { ...RULE, ...rule }, elapsed: 12_345.6 }
    t.equal(judge({ ...given, final: false }).verdict, early)
    const judged = judge({ ...given, final: true })
    t.equal(judged.verdict, final)
    if (because) t.match(judged.because.join('; '), because)
    else if (final === 'good') t.strictSame(judged.because, [])
  })
}

t.test('the figures are both sides, as plain data', async (t) => {
  const canary = tally({ errors: 30, crashes: 1 })
  const { figures } = judge({
    canary,
    old: tally({ requests: 0, delays: [] }),
    rule: RULE,
    elapsed: 12_345.6,
    final: true
  })
  const { p50 = 0, p99 = 0, delay = 0, ...rest } = figures.canary
  t.strictSame(rest, { requests: 1_000, errors: 30, errorRate: 0.03, aborted: 0, crashes: 1 })
  t.ok(Math.abs(delay - 5) < 0.5, `${delay}`)
  t.ok(Math.abs(p50 - 10) < 0.5 && p50 === p99, `${p50} ${p99}`)
  t.strictSame(figures.old, { requests: 0, errors: 0, errorRate: 0, aborted: 0, crashes: 0 })
  t.match(figures, { soak: 30_000, elapsed: 12_346, enough: false })
  t.strictSame(JSON.parse(JSON.stringify(figures)), figures)
})

t.test("the lower end of Wilson's interval", async (t) => {
  t.equal(wilsonLow(0, 0, 1.96), 0)
  t.equal(wilsonLow(0, 100, 1.96), 0)
  // Newcombe 1998, table I: 81 of 263 and 15 of 148.
  t.equal(wilsonLow(81, 263, 1.96).toFixed(4), '0.2553')
  t.equal(wilsonLow(15, 148, 1.96).toFixed(4), '0.0624')
  t.equal(wilsonLow(1, 1, 1.96).toFixed(4), '0.2065')
})

/** Ten minutes of a canary that is as good as the old, told of each second: it is not to be taken for bad by chance. */
t.test('a good one that fails as often as the old is not bad early', async (t) => {
  let state = 42
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  let bad = 0
  for (let story = 0; story < 200; story += 1) {
    const [canary, old] = [emptyTally(), emptyTally()]
    for (let second = 0; second < 30; second += 1) {
      for (const side of [canary, old]) {
        const count = side === canary ? 20 : 60
        const errors = Array.from({ length: count }).filter(() => random() < 0.05).length
        addReport(side, { count, errors, aborted: 0, latency: [[40, count]] }, 1)
      }
      if (judge({ canary, old, rule: RULE, elapsed: 0, final: false }).verdict === 'bad') {
        bad += 1
        break
      }
    }
  }
  t.ok(bad <= 2, `${bad} of 200 were taken for bad`)
})
