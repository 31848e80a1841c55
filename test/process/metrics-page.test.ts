// What stands on the page: what promtool says of it, and that documentation, dashboard and rules name nothing else.

import { spawnSync } from 'node:child_process'
import path from 'node:path'
import t from 'tap'
import { code, read, tableOf } from '../docs/markdown.js'
import { reload } from '../support/deploy.js'
import { get, ROOT, until } from '../support/fixture.js'
import { parsePage, promtool, typesOn } from '../support/metrics.js'
import { MetricsApp, NeverFalls } from '../support/metrics-app.js'

const rules = 'docs/metrics/alerts.yml'
const dashboard = 'docs/metrics/grafana-dashboard.json'

t.test('the page', async (t) => {
  const app = new MetricsApp(t)
  await app.serving(2)
  const scrapes = new NeverFalls(t, app)
  await get(app.port, '/')
  t.equal(await reload(app.fixture), 'done')
  await app.reaches('mapache_http_requests_total', 1)
  // PSS is read seldom, so it may not stand on an early page.
  await until(async () => (await app.scrape()).text.includes('mapache_process_own_memory_bytes{'), 'memory')
  t.strictSame(await scrapes.end(), [])
  const accept = 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5'
  const look = async () => {
    const open = await get({ socketPath: app.page, headers: { accept } }, '/metrics')
    return { open, text: (await app.scrape()).text }
  }
  const keysOf = (page: string) => [...parsePage(page).keys()].join('\n')
  let { open, text } = await look()
  // Between two looks a process may have gone, or told of itself for the first time.
  for (let left = 20; left > 0 && keysOf(open.body) !== keysOf(text); left -= 1) ({ open, text } = await look())
  await app.stop()
  const types = typesOn(text)

  await t.test('promtool, on scrapes during a reload', { skip: promtool.skip }, async (t) => {
    const { pages } = scrapes
    for (const at of [0, 0.2, 0.4, 0.6, 0.8].map((share) => Math.floor(share * pages.length))) {
      const { status, stdout, stderr } = spawnSync(promtool.path, ['check', 'metrics'], {
        input: pages[at],
        encoding: 'utf8'
      })
      t.equal(status, 0, `${at}: ${stdout}${stderr}`)
    }
  })
  await t.test('promtool, on the rules', { skip: promtool.skip }, async (t) => {
    const { status, stdout, stderr } = spawnSync(promtool.path, ['check', 'rules', path.join(ROOT, rules)], {
      encoding: 'utf8'
    })
    t.equal(status, 0, `${stdout}${stderr}`)
  })

  await t.test('OpenMetrics', async (t) => {
    const { body, headers } = open
    t.match(headers['content-type'], /^application\/openmetrics-text; version=1\.0\.0/)
    t.match(body, /\n# EOF\n$/)
    t.match(body, /^# TYPE mapache_http_requests counter$/m)
    t.match(body, /^# UNIT mapache_http_request_duration_seconds seconds$/m)
    t.match(body, /^app_hits_total\{path="\/"\} 1$/m)
    t.strictSame([...parsePage(body).keys()], [...parsePage(text).keys()], 'the same samples')
  })

  await t.test('the table in the documentation', async (t) => {
    const rows = tableOf('docs/metrics.md', 'The metrics')
    const documented = rows.map(([name = '', type]) => [code(name), type])
    t.strictSame(
      documented,
      [...types].filter(([name]) => name.startsWith('mapache_'))
    )
    for (const [name = '', , labels = ''] of rows) {
      const [sample = ''] = text.match(new RegExp(`^${code(name)}(_bucket)?\\{.*$`, 'm')) ?? []
      const printed = [...sample.matchAll(/(\w+)="/g)]
        .map(([, label]) => label)
        .filter((label) => label !== 'le' && label !== 'name')
      const named = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).filter((label) => label !== 'name')
      t.strictSame(printed.sort(), named.sort(), code(name))
    }
  })

  for (const file of [rules, dashboard]) {
    await t.test(`the names in ${file}`, async (t) => {
      const names = new Set(read(file).match(/\bmapache_[a-z0-9_]+/g))
      t.ok(names.size > 5)
      for (const name of names) t.ok(types.has(name) || types.has(name.replace(/_bucket$/, '')), name)
    })
  }
})

t.test('the dashboard asks of what is there', async (t) => {
  const { panels } = JSON.parse(read(dashboard)) as {
    panels: { title: string; type: string; targets?: { expr: string }[] }[]
  }
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  t.ok(expressions.length > 20)
  t.equal(new Set(panels.map((panel) => (panel as unknown as { id: number }).id)).size, panels.length, 'ids')
  await t.test('promtool reads each expression', { skip: promtool.skip }, async (t) => {
    const filled = expressions.map((expr) =>
      expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.*').replaceAll('$instance', '.*')
    )
    const rules = filled.map((expr, index) => `      - { record: 'r:${index}', expr: ${JSON.stringify(expr)} }`)
    const folder = t.testdir({ 'rules.yml': `groups:\n  - name: dashboard\n    rules:\n${rules.join('\n')}\n` })
    const file = path.join(folder, 'rules.yml')
    const { status, stdout, stderr } = spawnSync(promtool.path, ['check', 'rules', file], { encoding: 'utf8' })
    t.equal(status, 0, `${stdout}${stderr}`)
  })
})
