import { spawnSync } from 'node:child_process'
import t from 'tap'
import { expose, type Family, negotiate } from '#metrics/service/exposition.js'
import { promtool } from '../support/metrics.js'

const families: Family[] = [
  {
    name: 'a_requests_total',
    type: 'counter',
    help: 'Back\\slash\nand "quotes".',
    samples: [{ labels: 'x="1"', value: 3 }]
  },
  { name: 'a_size_bytes', type: 'gauge', help: 'Size.', samples: [{ labels: '', value: Number.NaN }] },
  {
    name: 'a_time_seconds',
    type: 'histogram',
    help: 'Time.',
    samples: [
      { suffix: '_bucket', labels: 'le="1"', value: 2 },
      { suffix: '_bucket', labels: 'le="+Inf"', value: 3 },
      { suffix: '_sum', labels: '', value: 4.5 },
      { suffix: '_count', labels: '', value: 3 }
    ]
  }
]

t.test('the page in both formats', async (t) => {
  t.equal(
    expose(families, 'prometheus'),
    `# HELP a_requests_total Back\\\\slash\\nand "quotes".
# TYPE a_requests_total counter
a_requests_total{x="1"} 3
# HELP a_size_bytes Size.
# TYPE a_size_bytes gauge
a_size_bytes NaN
# HELP a_time_seconds Time.
# TYPE a_time_seconds histogram
a_time_seconds_bucket{le="1"} 2
a_time_seconds_bucket{le="+Inf"} 3
a_time_seconds_sum 4.5
a_time_seconds_count 3
`
  )
  t.equal(
    expose(families.slice(0, 2), 'openmetrics'),
    `# HELP a_requests Back\\\\slash\\nand \\"quotes\\".
# TYPE a_requests counter
a_requests_total{x="1"} 3
# HELP a_size_bytes Size.
# TYPE a_size_bytes gauge
# UNIT a_size_bytes bytes
a_size_bytes NaN
# EOF
`
  )
})

t.test('a counter without _total gets it in OpenMetrics, and infinities have their own spelling', async (t) => {
  const samples = [{ labels: '', value: 1 }]
  t.match(expose([{ name: 'jobs', type: 'counter', help: 'Jobs.', samples }], 'openmetrics'), /^jobs_total 1$/m)
  t.match(expose([{ name: 'jobs', type: 'counter', help: 'Jobs.', samples }], 'prometheus'), /^jobs 1$/m)
  const most: Family = {
    name: 'most',
    type: 'gauge',
    help: 'M.',
    samples: [Infinity, -Infinity].map((value) => ({ labels: '', value }))
  }
  t.match(expose([most], 'prometheus'), /^most \+Inf\nmost -Inf$/m)
})

t.test('names that clash are printed once', async (t) => {
  const again = (name: string, type: Family['type']): Family => ({
    name,
    type,
    help: 'Again.',
    samples: [{ labels: '', value: 9 }]
  })
  const clashes = [
    again('a_requests', 'gauge'),
    again('a_time_seconds_count', 'gauge'),
    again('a_size_bytes', 'counter')
  ]
  const page = expose([...families, ...clashes, again('b', 'gauge')], 'prometheus')
  t.equal(page.match(/ 9$/gm)?.length, 1)
  t.match(page, /^b 9$/m)
})

t.test('the format is chosen by what is accepted', async (t) => {
  const prometheus = 'application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5'
  for (const [accept, format] of [
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    ['Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1', 'prometheus'],
    ['application/openmetrics-text;version=1.0.0;q=0', 'prometheus'],
    [`${prometheus},text/plain;version=0.0.4;q=0.3,*/*;q=0.1`, 'openmetrics'],
    ['text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5', 'prometheus'],
    [',;=;q=x'.repeat(9_000), 'prometheus']
  ] as const) {
    t.equal(negotiate(accept), format, String(accept).slice(0, 60))
  }
})

t.test('promtool takes the page', { skip: promtool.skip }, async (t) => {
  const { status, stderr, stdout } = spawnSync(promtool.path, ['check', 'metrics'], {
    input: expose(families, 'prometheus'),
    encoding: 'utf8'
  })
  t.equal(status, 0, `${stdout}${stderr}`)
})
