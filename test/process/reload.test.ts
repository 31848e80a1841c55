import t from 'tap'
import { Watch } from '../support/deploy.js'
import { get, isRunning, until } from '../support/fixture.js'
import { Life, type Recorded } from '../support/life.js'
import { RawClient } from '../support/raw.js'

/** The events from one to another, both included. */
function between(events: Recorded[], from: string, to: string): Recorded[] {
  const names = events.map(({ name }) => name)
  return events.slice(names.lastIndexOf(from), names.lastIndexOf(to) + 1)
}

const present = ({ status }: Recorded) =>
  status.processes.filter(({ state }) => ['launching', 'ready', 'serving'].includes(state)).length

for (const [workers, surge] of [
  [3, 1],
  [4, 2],
  [1, 1]
] as const) {
  t.test(`a roll of ${workers} with surge ${surge} is new before old, and settles once`, async (t) => {
    const life = new Life(t, { options: { workers, surge } })
    const port = await life.port()
    const old = await life.workersServing(workers)
    const watch = new Watch(t, port)
    watch.allowed = { includes: () => true } as never
    const result = await life.call<{ generation: number; duration: number }>('reload')
    t.match(result, { generation: 2, duration: Number })
    const all = await life.events()
    const roll = between(all, 'reload:start', 'reload:done')
    const named = (name: string) => roll.filter((event) => event.name === name)
    for (const event of roll) {
      const { name, status } = event
      t.ok(status.serving >= workers, `at ${name}: ${status.serving} of ${workers} serve`)
      t.ok(present(event) <= workers + surge, `at ${name}: ${present(event)} are there`)
    }
    t.equal(Math.max(...roll.map(present)), workers + surge, 'and the surge is used')
    t.strictSame(named('reload:start')[0]?.data, { generation: 2, kind: 'reload' })
    t.strictSame(named('reload:done')[0]?.data, result)
    t.strictSame(
      named('reload:settled').map(({ data }) => data),
      [{ generation: 2 }]
    )
    // Before it has settled there is one new worker, and no old one has gone.
    const proving = between(roll, 'reload:start', 'reload:settled').map(({ name }) => name)
    t.equal(proving.filter((name) => name === 'worker:launch').length, 1)
    t.notOk(proving.includes('worker:retire'))
    for (const retired of named('worker:retire')) t.match(retired.data, { generation: 1, reason: 'reload' })
    t.equal(named('worker:retire').length, workers)
    t.equal(named('worker:serving').length, workers)
    t.strictSame((await life.status()).roll, undefined)
    t.equal((await life.cluster()).generation, 2)
    await life.event('worker:exit', workers)
    for (const { data } of (await life.events()).filter(({ name }) => name === 'worker:exit')) {
      t.match(data, { generation: 1, reason: 'reload', failed: false, code: 0, signal: null })
    }
    await until(() => !old.some(isRunning), 'the end of the old ones')
    await watch.more(5)
    t.strictSame(await watch.stop(), [])
  })
}

t.test('a reload is done when the new ones serve: it does not wait for what the old ones still hold', async (t) => {
  const life = new Life(t, { options: { workers: 1 } })
  const port = await life.port()
  const held = get(port, '/hold?name=long')
  const [, pid] = await life.printed(/reached long (\d+)/)
  t.match(await life.call('reload'), { generation: 2 })
  const { processes } = await life.status()
  t.match(
    processes.find((one) => one.pid === Number(pid)),
    { state: 'retiring', generation: 1 }
  )
  t.not(JSON.parse((await get(port)).body).pid, Number(pid))
  life.put('long')
  t.equal(JSON.parse((await held).body).pid, Number(pid))
})

t.test('a second reload waits for the first, and a third takes the place of the one that waits', async (t) => {
  const life = new Life(t)
  await life.workersServing(2)
  life.put('shut')
  const first = life.call('reload')
  await life.printed(/booting/)
  const second = life.call('reload')
  const refused = t.rejects(second, { code: 'MAPACHE_RELOAD_SUPERSEDED', fix: /newer one/ })
  await life.printed(/called reload[\s\S]*called reload/)
  const third = life.call('reload')
  await refused
  t.match((await life.status()).roll, { generation: 2, phase: 'booting' })
  life.remove('shut')
  t.match(await first, { generation: 2 })
  t.match(await third, { generation: 3 })
  const order = (await life.events()).filter(({ name }) => /^reload:/.test(name))
  t.strictSame(
    order.map(({ name, data }) => `${name} ${data.generation}`),
    [2, 3].flatMap((n) => ['start', 'settled', 'done'].map((what) => `reload:${what} ${n}`))
  )
  await life.workersServing(2)
})

t.test('a stop in the middle of a roll ends it, and what waits is told', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  await life.workersServing(2)
  const client = await RawClient.open(port)
  life.put('shut')
  const running = life.call('reload')
  const refused = t.rejects(running, { code: 'MAPACHE_STOPPING' })
  await life.printed(/booting/)
  const waiting = t.rejects(life.call('reload'), { code: 'MAPACHE_STOPPING' })
  await life.printed(/called reload[\s\S]*called reload/)
  life.kill('SIGTERM')
  await Promise.all([refused, waiting])
  client.ask()
  t.equal((await client.answer()).status, 200)
  t.strictSame(await life.exit(), { code: 0, signal: null })
  t.strictSame(life.processes(), [])
  t.strictSame(life.leftovers(), [])
})

t.test('a worker that crashes in the middle of a roll does not keep it from its end', async (t) => {
  const life = new Life(t, { options: { workers: 3 } })
  const port = await life.port()
  const old = await life.workersServing(3)
  life.put('shut')
  const reload = life.call('reload')
  await life.printed(/booting/)
  // An old one: it is replaced by one more of its own generation, whose boot waits at the same gate.
  process.kill(old[0] as number, 'SIGKILL')
  await life.printed(/booting[\s\S]*booting/)
  t.equal((await get(port)).status, 200)
  life.remove('shut')
  t.match(await reload, { generation: 2 })
  await until(async () => {
    const { processes } = await life.status()
    return processes.length === 3 && processes.every(({ generation, state }) => generation === 2 && state === 'serving')
  }, 'three new ones')
})
