import t from 'tap'
import { CanaryApp, type Figures, Traffic } from '../support/canary.js'
import { get, type Test, until } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'
import type { Told } from '../support/life.js'

const RULE = { soak: 3_000, minRequests: 20 }

async function started(t: Test & { testdir(): string }, options?: object): Promise<{ app: CanaryApp; port: number }> {
  const app = new CanaryApp(t, options)
  const port = await app.port()
  await app.workersServing(2)
  return { app, port }
}

/** Waits for the reload to fail. @returns its error, with figures */
async function failure(reload: Promise<unknown>): Promise<Told & { figures: Figures }> {
  return reload.then(
    (value) => {
      throw new Error(`a bad canary was taken for good: ${JSON.stringify(value)}`)
    },
    (error) => error
  )
}

t.jobs = 3

t.test('a canary that answers 5xx is retired before the soak is over, and nothing else changes', async (t) => {
  const { app, port } = await started(t)
  const old = app.workers
  const traffic = new Traffic(t, port)
  app.deploy('v2', 'res.statusCode = 503; res.end(version)')
  const error = await failure(app.call('reload', { canary: { soak: 20_000 } }))
  t.match(error, {
    code: 'MAPACHE_CANARY_FAILED',
    phase: 'canary',
    message: /generation 2 is worse than generation 1: 100 % of its \d+ answers are errors, against 0 %/
  })
  const { elapsed, canary, old: before } = error.figures
  t.ok(elapsed < 15_000, `retired after ${elapsed} ms`)
  t.equal(canary.errors, canary.requests)
  t.ok(canary.errors >= 5 && before.requests > 0 && before.errors === 0, JSON.stringify(error.figures))
  const { data } = await app.event('reload:rolledback')
  t.match(data, { generation: 2, to: 1, crashes: 0, canary: error.figures, error: { code: 'MAPACHE_CANARY_FAILED' } })
  t.match((await app.event('reload:failed')).data, { generation: 2, phase: 'canary' })
  await app.only(1)
  t.strictSame(app.workers, old, 'no old worker went')
  const { lost, answers } = await traffic.stop()
  t.strictSame(lost, [], 'no request was lost')
  t.strictSame([...answers.keys()].sort(), ['v1 200', 'v2 503'])
  app.deploy('v3')
  t.match(await app.call('reload'), { generation: 3, canary: undefined }, 'the next good deploy works')
})

t.test('a canary that is slower is retired at the end of the soak', async (t) => {
  const { app, port } = await started(t)
  const traffic = new Traffic(t, port)
  app.deploy('v2', 'setTimeout(() => res.end(version), 200)')
  const error = await failure(app.call('reload', { canary: RULE }))
  t.match(error, { code: 'MAPACHE_CANARY_FAILED', phase: 'canary', message: /its p99 is [\d.]+ ms, against [\d.]+ ms/ })
  const { canary, old, elapsed, enough } = error.figures
  t.ok(enough && elapsed >= RULE.soak, JSON.stringify(error.figures))
  t.ok((canary.p99 ?? 0) > 180 && (canary.p99 ?? 0) < 1_000 && (old.p99 ?? 0) < (canary.p99 ?? 0) / 2)
  await app.only(1)
  t.strictSame((await traffic.stop()).lost, [])
})

t.test('a canary that crashes is one that failed, with the error of the app', async (t) => {
  const { app, port } = await started(t)
  app.deploy('v2', "if (req.url === '/crash') throw new RangeError('not again'); res.end(version)")
  const reload = failure(app.call('reload', { canary: { soak: 60_000 } }))
  await app.event('reload:soaking')
  let ended = false
  void reload.then(() => {
    ended = true
  })
  await until(
    async () => {
      await get(port, '/crash').catch(() => {})
      return ended
    },
    'the canary to get one of the requests',
    () => app.output
  )
  const error = await reload
  t.match(error, {
    code: 'MAPACHE_CANARY_FAILED',
    phase: 'canary',
    message: /the canary of generation 2 failed: RangeError: not again/,
    cause: { name: 'RangeError', stack: /app\.mjs/ },
    figures: { canary: { crashes: 1 }, old: { crashes: 0 } }
  })
  t.match((await app.event('reload:rolledback')).data, { generation: 2, to: 1, crashes: 1 })
  await app.only(1)
})

t.test('a canary whose loop is late is retired even without traffic', async (t) => {
  const { app } = await started(t)
  app.deploy('v2', undefined, 'setInterval(() => block(400), 500)')
  const error = await failure(app.call('reload', { canary: { soak: 5_500 } }))
  t.match(error, { code: 'MAPACHE_CANARY_FAILED', message: /its event loop is late by [\d.]+ ms, against/ })
  t.equal(error.figures.enough, false)
  await app.only(1)
})

t.test('a good canary lets the others follow, and no request is lost', async (t) => {
  const { app, port } = await started(t, { canary: RULE })
  const traffic = new Traffic(t, port)
  app.deploy('v2')
  app.kill('SIGHUP')
  const soaking = await app.event('reload:soaking')
  t.match(soaking, { data: { generation: 2, soak: RULE.soak }, status: { serving: 3, generation: 1 } })
  t.match((await app.status()).roll, { generation: 2, phase: 'soaking', canary: { soak: RULE.soak } })
  const { data } = await app.event('reload:done')
  t.match(data, { generation: 2, canary: { enough: true, canary: { errors: 0, crashes: 0 }, old: { errors: 0 } } })
  t.ok(data.duration >= RULE.soak)
  t.strictSame((await app.event('reload:soaked')).data, { generation: 2, canary: data.canary })
  const names = (await app.events()).map(({ name }) => name).filter((name) => name.startsWith('reload:'))
  t.strictSame(
    names,
    ['start', 'soaking', 'soaked', 'settled', 'done'].map((name) => `reload:${name}`)
  )
  const retired = (await app.events()).findIndex(({ name }) => name === 'worker:retire')
  t.ok(retired > (await app.events()).findIndex(({ name }) => name === 'reload:soaked'), 'none retires before')
  await app.only(2)
  const { lost, answers } = await traffic.stop()
  t.strictSame(lost, [])
  t.strictSame([...answers.keys()].sort(), ['v1 200', 'v2 200'])
  app.deploy('v3')
  t.match(await app.call('reload', { canary: false }), { generation: 3, canary: undefined }, 'once without')
  t.equal((await app.events()).filter(({ name }) => name === 'reload:soaking').length, 1)
})

t.test('too little traffic is said, and a canary that neither crashed nor failed is good', async (t) => {
  const { app } = await started(t)
  app.deploy('v2', 'setTimeout(() => res.end(version), 500)')
  const result = await app.call<{ canary: Figures }>('reload', { canary: { soak: 1_000 } })
  t.match(result, { generation: 2, canary: { soak: 1_000, enough: false, canary: { requests: 0 } } })
  await app.printed(/too little traffic \(0 answers of its own and 0 of the old workers, 100 wanted of each\)/)
})

t.test('a rollback calls a canary back, and a reload that waits comes after it', async (t) => {
  const { app } = await started(t, { canary: { soak: 60_000 } })
  app.deploy('v2')
  const first = t.rejects(app.call('reload'), { code: 'MAPACHE_ROLLED_BACK' })
  await app.event('reload:soaking')
  t.match(await app.call('rollback'), { generation: 1 })
  await first
  await app.only(1)
  const second = failure(app.call('reload'))
  await app.event('reload:soaking', 2)
  const third = app.call('reload', { canary: false })
  await app.printed(/called reload[\s\S]*called reload[\s\S]*called reload/)
  const { processes } = await app.status()
  const canary = processes.find(({ generation }) => generation === 3)
  process.kill(canary?.pid as number, 'SIGKILL')
  t.match(await second, { code: 'MAPACHE_CANARY_FAILED', figures: { canary: { crashes: 1 } } })
  t.match(await third, { generation: 4 })
})

t.test('a canary that is recycled gives way to another, which soaks from the start', async (t) => {
  const { app } = await started(t)
  app.deploy('v2')
  const reload = app.call<{ canary: Figures }>('reload', { canary: { soak: 2_000 } })
  await app.event('reload:soaking')
  const { processes } = await app.status()
  const canary = processes.find(({ generation }) => generation === 2)
  await app.call('recycle', canary?.id)
  await app.event('reload:soaking', 2)
  t.match(await reload, { generation: 2, canary: { elapsed: Number } })
  await app.only(2)
  t.notMatch(app.workers, [canary?.pid])
})

t.test('what is no canary is refused', async (t) => {
  const { app } = await started(t)
  await t.rejects(app.call('reload', { oldFirst: true, canary: {} }), {
    code: 'MAPACHE_OPTION_INVALID',
    message: /canary cannot go with oldFirst/
  })
  await t.rejects(app.call('reload', { canary: { soak: 10 } }), { message: /canary\.soak must be a whole number/ })
  t.equal((await app.status()).generation, 1)
  app.deploy('v2')
  t.match(await app.call('reload', { oldFirst: true, canary: false }), { generation: 2 })
})

t.test('with molds it is the same, and the spares stay', { skip: process.platform !== 'linux' }, async (t) => {
  const listener = "(_req, res) => { res.statusCode = version === 2 ? 500 : 200; res.end('v' + version) }"
  const app = new ForkingApp(t, { listener, settings: { canary: { soak: 2_000, minRequests: 20 } } })
  const port = await app.port()
  await until(
    async () => (await app.status()).spare.ready === 1,
    'a spare',
    () => app.output
  )
  const old = await app.workersServing(2)
  const traffic = new Traffic(t, port, 3)
  app.deploy(2)
  t.match(await failure(app.call('reload')), { code: 'MAPACHE_CANARY_FAILED', phase: 'canary' })
  t.strictSame(app.workers, old)
  const launched = (await app.events()).filter(({ name, data }) => name === 'worker:launch' && data.generation === 1)
  t.equal(launched.length, 3, 'two workers and one spare, the same from the beginning to the end')
  app.deploy(3)
  t.match(await app.call('reload'), { generation: 3, canary: { enough: true } })
  const { lost, answers } = await traffic.stop()
  t.strictSame(lost, [])
  t.strictSame([...answers.keys()].sort(), ['v1 200', 'v2 500', 'v3 200'])
})
