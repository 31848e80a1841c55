import path from 'node:path'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { type Fixture, get, start, startCli, type Test } from '../support/fixture.js'
import { Life } from '../support/life.js'

/** An entry whose options and handler the test changes between reloads. */
function entry(folder: string, options: object | string, before = ''): string {
  const text = typeof options === 'string' ? options : JSON.stringify({ settle: 50, ...options })
  return put(
    path.join(folder, 'app.mjs'),
    `import { mapacheHttp } from '@mapache/core'
${before}
const handler = (req, res) => {
  console.log('reached ' + req.url + ' ' + process.pid)
  if (req.url === '/') res.end(String(process.pid))
}
await mapacheHttp(() => handler, ${text}).listen({ port: 0, host: '127.0.0.1' })`
  )
}

function run(t: Test & { testdir(): string }, options: object): { folder: string; fixture: Fixture } {
  const folder = t.testdir()
  return { folder, fixture: start(t, entry(folder, options)) }
}

t.test('new code brings new options: workers and drainTimeout', async (t) => {
  const { folder, fixture } = run(t, { workers: 2 })
  const port = await fixture.port()
  await fixture.workersServing(2)
  entry(folder, { workers: 3, drainTimeout: 100 })
  const from = fixture.output.length
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/options changed: workers 2 → 3, drainTimeout 90000 → 100/, from)
  await fixture.workersServing(3)
  // Of the drain: what is never answered is cut, though the old limit was 90 s.
  const cut = t.rejects(get(port, '/never'), { code: 'ECONNRESET' })
  const [, pid] = await fixture.printed(/reached \/never (\d+)/)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(new RegExp(`pid=${pid} reached drainTimeout after \\d+ ms: cut 1 requests`))
  await cut
  await fixture.workersServing(3)
  entry(folder, { workers: 1 })
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/options changed: workers 3 → 1, drainTimeout 100 → 90000/)
  await fixture.workersServing(1)
})

t.test('backlog and name hold until the next start, and the log says so', async (t) => {
  const { folder, fixture } = run(t, { workers: 1, backlog: 100, name: 'one' })
  const port = await fixture.port()
  entry(folder, { workers: 1, backlog: 200, name: 'two' })
  t.equal(await reload(fixture), 'done')
  await fixture.printed(
    /"level":40,.*options that hold until the next start: backlog 100 → 200, name ."one." → ."two."/
  )
  t.equal((await get(port)).status, 200)
})

t.test('what was scaled by hand stays, until new code says another number', async (t) => {
  const { folder, fixture } = run(t, { workers: 1 })
  await fixture.workersServing(1)
  fixture.kill('SIGTTIN')
  await fixture.workersServing(2)
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/gen=1 pid=\d+ exited[\s\S]*gen=1 pid=\d+ exited/)
  t.equal(fixture.workers.length, 2)
  entry(folder, { workers: 3 })
  t.equal(await reload(fixture), 'done')
  await fixture.workersServing(3)
})

t.test('what the command line says, code does not change', async (t) => {
  const folder = t.testdir()
  entry(folder, { workers: 3, drainTimeout: 500 })
  const fixture = startCli(t, ['-w', '2', path.join(folder, 'app.mjs')])
  await fixture.workersServing(2)
  await fixture.printed(/options changed: .*drainTimeout 90000 → 500/)
  entry(folder, { workers: 4, drainTimeout: 600 })
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/options changed: drainTimeout 500 → 600/)
  t.equal(fixture.workers.length, 2)
})

t.test('new options that are invalid fail the reload, and the old ones hold', async (t) => {
  const { folder, fixture } = run(t, { workers: 2 })
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  for (const [options, said] of [
    ['{ workers: -1 }', /MAPACHE_OPTION_INVALID: workers must be a positive integer, 'auto' or { min, max }, got -1/],
    ['{ wrokers: 2 }', /wrokers is not an option; did you mean 'workers'\?/]
  ] as const) {
    entry(folder, options)
    const from = fixture.output.length
    t.equal(await reload(fixture), 'boot')
    await fixture.printed(said, from)
    t.strictSame(fixture.workers, pids)
    t.equal((await get(port)).status, 200)
  }
  entry(folder, { workers: 1 })
  t.equal(await reload(fixture), 'done')
  await fixture.workersServing(1)
})

t.test('scale() changes the target and its events tell', async (t) => {
  const life = new Life(t, { options: { workers: 1 } })
  const port = await life.port()
  await life.workersServing(1)
  await life.call('scale', 4)
  t.match(await life.status(), { target: 4 })
  await life.workersServing(4)
  await life.call('scale', 2)
  await life.workersServing(2)
  t.strictSame(
    (await life.events()).filter(({ name }) => name === 'scale').map(({ data }) => data),
    [4, 2].map((workers) => ({ workers, reason: 'asked' }))
  )
  for (const { data } of (await life.events()).filter(({ name }) => name === 'worker:retire')) {
    t.equal(data.reason, 'scale-down')
  }
  for (const wrong of [0, -1, 1.5, 'many', null]) {
    await t.rejects(life.call('scale', wrong), {
      code: 'MAPACHE_OPTION_INVALID',
      message: /workers must be a positive/
    })
  }
  t.match(await life.status(), { target: 2 })
  t.equal((await get(port)).status, 200)
})

t.test('what is scaled down finishes what it holds', async (t) => {
  const life = new Life(t, { options: { workers: 3 } })
  const port = await life.port()
  await life.workersServing(3)
  // Each of the three is at work, so that whichever goes has something to finish.
  const held = new Map<number, Promise<{ status: number }>>()
  for (let n = 0; held.size < 3; n += 1) {
    const answer = get(port, `/hold?name=n${n}`)
    const [, pid] = await life.printed(new RegExp(`reached n${n} (\\d+)`))
    if (held.has(Number(pid))) {
      life.put(`n${n}`)
      await answer
    } else held.set(Number(pid), answer)
  }
  await life.call('scale', 1)
  await life.event('worker:retire', 2)
  for (let n = 0; n < 200; n += 1) life.put(`n${n}`)
  for (const answer of held.values()) t.equal((await answer).status, 200)
  await life.event('worker:exit', 2)
  await life.workersServing(1)
})
