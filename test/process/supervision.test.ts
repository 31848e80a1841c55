import t from 'tap'
import { Watch } from '../support/deploy.js'
import { before, get, isRunning, until } from '../support/fixture.js'
import { Life } from '../support/life.js'
import { RawClient } from '../support/raw.js'

const anything = { includes: () => true } as never
const isNotCut = (text: string) => !/ECONNRESET|socket hang up/.test(text)
const pidOf = (body: string): number => JSON.parse(body).pid

t.test('a worker killed by SIGKILL is replaced, and the port never refuses meanwhile', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  await life.workersServing(2)
  const watch = new Watch(t, port)
  watch.allowed = anything
  for (let round = 0; round < 5; round += 1) {
    const [pid] = life.workers as [number]
    process.kill(pid, 'SIGKILL')
    await life.printed(new RegExp(`pid=${pid} ended \\(crash, SIGKILL\\)`))
    await life.workersServing(2)
  }
  await watch.more(20)
  // What the killed one held is lost with it, and nothing else.
  t.strictSame((await watch.stop()).filter(isNotCut), [])
  t.notOk(life.exited)
})

t.test('with all workers killed clients wait in the kernel, and are answered when a worker is back', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  const killed = await life.workersServing(2)
  life.put('shut')
  for (const pid of killed) process.kill(pid, 'SIGKILL')
  await until(() => !killed.some(isRunning), 'the end of the workers')
  const clients = await Promise.all(Array.from({ length: 50 }, () => RawClient.open(port)))
  for (const client of clients) client.ask()
  await life.printed(/booting/)
  t.strictSame(
    clients.filter(({ text, end }) => text !== '' || end !== 'open'),
    [],
    'nobody is refused, and nobody answered yet'
  )
  life.remove('shut')
  for (const client of clients) {
    const { status, body } = await client.answer()
    t.equal(status, 200)
    t.notOk(killed.includes(pidOf(body)))
    client.close()
  }
  await life.workersServing(2)
})

t.test('a crash loop after a good start never ends the supervisor, backs off, and shows', async (t) => {
  const life = new Life(t, { options: { workers: 1, backoff: { min: 10, max: 80 } } })
  const port = await life.port()
  const [pid] = await life.workersServing(1)
  life.put('crash')
  process.kill(pid as number, 'SIGKILL')
  await life.printed(/8 failures in a row in place 1/)
  const waits = [...life.output.matchAll(/(\d+) failures in a row in place 1; next launch in (\d+) ms/g)]
  for (const [text, failures, wait] of waits) {
    const delay = Math.min(80, 10 * 2 ** (Number(failures) - 2))
    t.ok(Number(wait) >= Math.floor(delay / 2) && Number(wait) <= delay, text)
  }
  t.match(life.output, /ended \(crash, SIGKILL\)/)
  t.match(life.output, /ended \(boot-failed, code 9\): it exited with code 9 before it was ready/)
  let seen = 0
  await until(async () => {
    const { processes, serving, target } = await life.status()
    t.equal(serving, 0)
    t.equal(target, 1)
    seen = Math.max(seen, ...processes.map(({ failures }) => failures))
    return seen >= 8
  }, 'the failures in the status')
  const waiting = get(port)
  life.remove('crash')
  t.equal((await waiting).status, 200, 'and when the fault is gone, so is the loop')
  await life.workersServing(1)
  t.notOk(life.exited)
})

t.test('when a worker was ready once, the others may fail as often as they like', async (t) => {
  const life = new Life(t, { options: { workers: 1, bootAttempts: 1, backoff: { min: 10, max: 80 } } })
  const port = await life.port()
  const [pid] = await life.workersServing(1)
  life.put('crash')
  await life.call('scale', 2)
  await life.printed(/5 failures in a row in place 2/)
  t.equal(pidOf((await get(port)).body), pid)
  life.remove('crash')
  t.ok((await life.workersServing(2)).includes(pid as number))
})

for (const [at, message, stack, cause] of [
  ['/throw', 'thrown in a request', /life\/app\.mjs:\d+/, undefined],
  ['/reject', 'rejected in a request', /TypeError[\s\S]*life\/app\.mjs:\d+/, /no database/]
] as const) {
  t.test(`an error that nobody caught (${at}) is logged whole, and its worker replaced`, async (t) => {
    const life = new Life(t)
    const port = await life.port()
    const pids = await life.workersServing(2)
    await t.rejects(get(port, at))
    await life.printed(/ended \(crash, code 1\)/)
    const line = life.log.find(({ msg }) => /ended \(crash, code 1\)/.test(msg))
    t.match(line?.err?.message, message)
    t.match(line?.err?.stack, stack)
    if (cause) t.match(line?.err?.stack, cause)
    await life.workersServing(2)
    t.equal(life.workers.filter((pid) => pids.includes(pid)).length, 1)
  })
}

t.test('a worker that exits by itself is replaced, whatever its code', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  await life.workersServing(2)
  for (const code of [0, 3]) {
    await t.rejects(get(port, `/exit?code=${code}`))
    const { data } = await life.event('worker:exit', code === 0 ? 1 : 2)
    t.match(data, { code, reason: 'crash', failed: true, state: 'exited' })
    await life.workersServing(2)
  }
})

t.test('a worker that closes its own server is replaced, and the port never refuses meanwhile', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  await life.workersServing(2)
  const watch = new Watch(t, port)
  watch.allowed = anything
  const pid = pidOf((await get(port, '/close')).body)
  await life.printed(new RegExp(`pid=${pid} is no longer listening; replaced`))
  const { data } = await life.event('worker:exit')
  t.match(data, { pid, reason: 'not-listening', failed: true })
  await life.workersServing(2)
  t.notOk(life.workers.includes(pid))
  await watch.more(10)
  // What its close cut is the app's own doing.
  t.strictSame((await watch.stop()).filter(isNotCut), [])
})

t.test('SIGTERM to one worker: its replacement serves before it retires, and it finishes what it holds', async (t) => {
  const life = new Life(t)
  const port = await life.port()
  await life.workersServing(2)
  const held = get(port, '/hold?name=slow')
  const [, pid] = await life.printed(/reached slow (\d+)/)
  const watch = new Watch(t, port)
  watch.allowed = anything
  process.kill(Number(pid), 'SIGTERM')
  const { data: retiring } = await life.event('worker:retire')
  t.match(retiring, { pid: Number(pid), reason: 'signal', state: 'retiring' })
  for (const { name, status } of await life.events()) {
    if (/worker:(retire|exit)/.test(name)) t.equal(status.serving, 2, `${name}: the capacity is whole`)
  }
  life.put('slow')
  t.equal(pidOf((await before(held, () => 'the held request')).body), Number(pid))
  const { data: exit } = await life.event('worker:exit')
  t.match(exit, { pid: Number(pid), reason: 'signal', failed: false, code: 0 })
  await watch.more(10)
  t.strictSame(await watch.stop(), [])
  t.strictSame(
    (await life.status()).processes.map(({ failures }) => failures),
    [0, 0]
  )
})
