// The load decides how many workers serve, within the range and what the machine has room for.

import path from 'node:path'
import t from 'tap'
import { parallelism } from '#core/supervisor/limits.js'
import { Burning } from '../support/burn.js'
import { put, reload } from '../support/deploy.js'
import { start } from '../support/fixture.js'
import { Life } from '../support/life.js'

const RANGE = { min: 1, max: 2 }
const alone = parallelism() < 2 ? { skip: 'one CPU has room for one worker alone' } : {}

t.test('a cluster grows under load and shrinks back without losing a request', alone, async (t) => {
  const life = new Life(t, { options: { workers: RANGE } })
  const port = await life.port()
  await life.workersServing(1)
  t.match(await life.status(), { target: 1, scaling: { min: 1, max: 2, most: 2, pinned: false } })
  const load = new Burning(port, 6, 10)
  await life.workersServing(2)
  await life.printed(/scaling from 1 to 2 workers for the load/)
  // Two workers' worth of load: they stay.
  t.equal((await life.status()).target, 2)
  await load.end()
  await life.workersServing(1)
  t.equal(load.failures, 0)
  t.strictSame(
    (await life.events()).filter(({ name }) => name === 'scale').map(({ data }) => data),
    [
      { workers: 2, reason: 'load' },
      { workers: 1, reason: 'load' }
    ]
  )
})

t.test('a number set by hand stays, until it is given back', alone, async (t) => {
  const life = new Life(t, { options: { workers: RANGE } })
  const port = await life.port()
  await life.call('scale', 1)
  t.match(await life.status(), { target: 1, scaling: { pinned: true } })
  const load = new Burning(port, 4, 10)
  // Long enough for the load to be seen, were it looked at: reports of a busy worker come meanwhile.
  const before = (await life.events()).filter(({ name }) => name === 'worker:vitals').length
  await life.event('worker:vitals', before + 3)
  t.match(await life.status(), { target: 1, serving: 1 })
  await life.call('scale', 'auto')
  await life.workersServing(2)
  t.match(await life.status(), { target: 2, scaling: { pinned: false } })
  life.kill('SIGTTIN')
  await life.workersServing(3)
  t.match(await life.status(), { target: 3, scaling: { pinned: true } })
  await load.end()
  t.equal(load.failures, 0)
  await t.rejects(life.call('scale', { min: 1 }), { code: 'MAPACHE_OPTION_INVALID' })
})

t.test('where the number is fixed, auto gives it back to the option', async (t) => {
  const life = new Life(t, { options: { workers: 1 } })
  await life.workersServing(1)
  t.equal((await life.status()).scaling, undefined)
  await life.call('scale', 2)
  await life.workersServing(2)
  await life.call('scale', 'auto')
  await life.workersServing(1)
})

t.test("a policy of the user's decides, within the limits", alone, async (t) => {
  const life = new Life(t, { script: 'life/policy.mjs', env: { POLICY: 'many' } })
  const most = parallelism()
  await life.workersServing(most)
  t.match(await life.status(), { target: most, scaling: { min: 1, max: most, most } })
})

t.test('a policy may ask the built-in one, and sees what the workers report', async (t) => {
  const life = new Life(t, { script: 'life/policy.mjs', options: { workers: RANGE }, env: { POLICY: 'wraps' } })
  const load = new Burning(await life.port(), 2, 5)
  const [, , , seen = ''] = await life.printed(/^sees (\d) (\d) (.*"utilisation":0\.[5-9].*)$/m)
  const { requests, memory, limits } = JSON.parse(seen)
  t.ok(requests > 10, `${requests} requests per second`)
  t.ok(memory > 1e6)
  t.equal(limits.cpu, parallelism())
  t.ok(limits.memory > 2)
  await load.end()
})

t.test('a policy that fails is logged once, and the number stays', async (t) => {
  const life = new Life(t, { script: 'life/policy.mjs', options: { workers: RANGE }, env: { POLICY: 'throws' } })
  const said = /MAPACHE_POLICY_FAILED: the policy threw: no idea; 1 workers serve on/
  await life.printed(said)
  const before = (await life.events()).filter(({ name }) => name === 'worker:vitals').length
  await life.event('worker:vitals', before + 2)
  t.equal(life.log.filter(({ msg }) => said.test(msg)).length, 1)
  t.match(await life.status(), { target: 1, serving: 1 })
})

t.test('a reload brings a new range, and takes it away', async (t) => {
  const folder = t.testdir()
  const file = path.join(folder, 'app.mjs')
  const deploy = (workers: unknown) =>
    put(
      file,
      `import { mapacheHttp } from '@mapache/core'
await mapacheHttp(() => (_req, res) => res.end(), { settle: 50, workers: ${JSON.stringify(workers)} })
  .listen({ port: 0, host: '127.0.0.1' })`
    )
  const fixture = start(t, deploy(1))
  await fixture.workersServing(1)
  deploy({ min: 2, max: 3 })
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/options changed: workers 1 → \{.*min.*2/)
  await fixture.workersServing(2)
  deploy(1)
  t.equal(await reload(fixture), 'done')
  await fixture.workersServing(1)
})
