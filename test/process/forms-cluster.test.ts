import t, { type Test } from 'tap'
import { type Fixture, get, until } from '../support/fixture.js'
import { serve } from '../support/serve.js'

/** What the supervisor printed of its cluster. */
async function told(fixture: Fixture, what: string) {
  const [, json = ''] = await fixture.printed(new RegExp(`^${what} (\\{.*\\})$`, 'm'))
  return JSON.parse(json)
}

async function start(t: Test, settings = {}) {
  const { fixture } = serve(t, 'cluster.mjs', { settings: { workers: 2, name: 'shop', ...settings } })
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  const ask = async (at: string) => JSON.parse((await get(port, at)).body)
  return { fixture, port, pids, ask, addresses: [{ address: '127.0.0.1', family: 'IPv4', port }] }
}

t.test('the cluster in the supervisor: role, generation, addresses, workers and status', async (t) => {
  const { fixture, pids, addresses } = await start(t)
  const { workers, status, ...rest } = await told(fixture, 'listening')
  t.strictSame(rest, { role: 'supervisor', generation: 1, addresses })
  t.equal(workers.length, 2)
  // It resolves with the first worker that serves.
  t.ok(workers.some(({ state }: { state: string }) => state === 'serving'))
  for (const one of workers) t.match(one, { role: 'worker', generation: 1, place: Number })
  t.strictSame(workers.map(({ pid }: { pid: number }) => pid).sort(), pids.sort())
  t.match(status, {
    name: 'shop',
    pid: fixture.pid,
    generation: 1,
    target: 2,
    stopping: false,
    addresses,
    processes: workers
  })
  t.ok(status.serving >= 1)
  fixture.kill('SIGHUP')
  const after = await told(fixture, 'reloaded')
  t.match(after, { generation: 2, addresses, status: { generation: 2, target: 2, serving: 2 } })
  t.notOk('roll' in after.status)
  fixture.kill('SIGTERM')
  t.match(await told(fixture, 'stopped'), { addresses, workers: [], status: { stopping: true, serving: 0 } })
  await fixture.exit()
})

t.test('the cluster in a worker: its own role, generation and addresses, and the status of all', async (t) => {
  const { fixture, pids, addresses, ask } = await start(t)
  const own = await ask('/')
  t.match(own, {
    role: 'worker',
    generation: 1,
    addresses,
    workers: [{ role: 'worker', generation: 1, state: 'serving', pid: own.pid }]
  })
  t.equal(own.workers.length, 1)
  const { status } = await ask('/status')
  t.match(status, { name: 'shop', pid: fixture.pid, generation: 1, target: 2, serving: 2, stopping: false, addresses })
  t.strictSame(status.processes.map(({ pid }: { pid: number }) => pid).sort(), pids.sort())
})

t.test('without control: true a worker may look, and change nothing', async (t) => {
  const { fixture, pids, ask } = await start(t)
  for (const what of ['reload', 'refork', 'scale?to=3', 'stop']) {
    const { error } = await ask(`/${what}`)
    t.match(error, {
      name: 'MapacheError',
      code: 'MAPACHE_CONTROL_DENIED',
      message: `MAPACHE_CONTROL_DENIED: a worker may not ${what.split('?')[0]} the cluster without control: true`,
      fix: /control: true/
    })
  }
  t.match((await ask('/status')).status, { generation: 1, target: 2, serving: 2, stopping: false })
  t.strictSame(fixture.workers, pids)
})

t.test('with control: true a worker reloads, scales and stops the cluster', async (t) => {
  const { fixture, ask } = await start(t, { control: true })
  // Its answer is finished by the worker that the reload retires.
  t.match((await ask('/reload')).done, { generation: 2, duration: Number })
  t.match((await ask('/status')).status, { generation: 2 })
  t.equal((await ask('/scale?to=3')).done, null)
  await fixture.workersServing(3)
  await until(async () => (await ask('/status')).status.serving === 3, 'three workers')
  t.equal((await ask('/status')).status.target, 3)
  t.match((await ask('/scale?to=0')).error, { code: 'MAPACHE_OPTION_INVALID' })
  t.match((await ask('/refork')).error, { code: 'MAPACHE_REFORK_UNSUPPORTED' })
  t.equal((await ask('/stop')).done, null)
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(fixture.processes(), [])
})
