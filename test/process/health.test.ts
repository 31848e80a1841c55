import t from 'tap'
import { get, until } from '../support/fixture.js'
import { Life } from '../support/life.js'
import { RawClient } from '../support/raw.js'

const script = 'health/http.mjs'
const checked = (options: object = {}) => ({
  script,
  options: { backoff: { min: 50, max: 500 }, ...options },
  env: { CHECKED: '1' }
})
const idOf = (port: number) => get(port).then(({ body }) => JSON.parse(body).id as number)

/** Asks one request after the other, each on a connection of its own, until it is told to stop. */
function load(port: number) {
  let going = true
  const wrong: string[] = []
  let asked = 0
  const done = (async () => {
    while (going) {
      asked += 1
      await get(port).then(
        ({ status }) => status === 200 || wrong.push(`status ${status}`),
        (error) => wrong.push(error.message)
      )
    }
  })()
  return {
    wrong,
    get asked() {
      return asked
    },
    async stop() {
      going = false
      await done
      return wrong
    }
  }
}

t.test('workers are recycled after so many requests, one at a time, and none is lost', async (t) => {
  const life = new Life(t, { script, options: { workers: 2, maxRequests: 60 } })
  const port = await life.port()
  const first = await life.workersServing(2)
  const clients = [load(port), load(port), load(port)]
  await until(
    () => [...life.output.matchAll(/is recycled: it has answered/g)].length >= 4,
    'four recycled',
    () => life.output
  )
  await until(() => life.workers.length === 2 && !first.some((pid) => life.workers.includes(pid)), 'all renewed')
  for (const client of clients) t.strictSame(await client.stop(), [])
  for (const [, answered, limit] of life.output.matchAll(
    /answered (\d+) requests, and its limit is (\d+) of maxRequests 60/g
  )) {
    t.ok(Number(limit) >= 48 && Number(limit) <= 60 && Number(answered) >= Number(limit), `${answered} of ${limit}`)
  }
  const events = await life.events()
  const fewest = Math.min(
    ...events.slice(events.findIndex(({ status }) => status.serving === 2)).map((e) => e.status.serving)
  )
  t.equal(fewest, 2, 'as many serve as should')
  for (const { data } of events.filter(({ name }) => name === 'worker:exit'))
    t.match(data, { reason: 'recycle', failed: false })
  t.comment(`${clients.reduce((sum, { asked }) => sum + asked, 0)} requests`)
})

t.test('workers are recycled at their age', async (t) => {
  const life = new Life(t, { script, options: { workers: 2, maxAge: 1_500 } })
  await life.port()
  const first = await life.workersServing(2)
  await life.printed(/is recycled: it is \d+ ms old, and its limit is \d+ of maxAge 1500/)
  await until(() => life.workers.length >= 2 && !first.some((pid) => life.workers.includes(pid)), 'all renewed')
})

t.test('a worker that takes too much memory is recycled, and the others are not', async (t) => {
  const life = new Life(t, { script, options: { workers: 2, maxMemory: '400mb' } })
  const port = await life.port()
  await life.workersServing(2)
  // One connection is one worker's.
  const client = await RawClient.open(port)
  for (let round = 0; round < 7; round += 1) {
    client.ask('/grow')
    const { status, body } = await client.answer()
    t.equal(status, 200)
    if (round === 6) await life.printed(new RegExp(`worker=${body} .* is recycled: it has \\d+ bytes of its own`))
  }
  client.close()
  const { data } = await life.event('worker:exit')
  t.match(data, { reason: 'recycle', failed: false })
  await life.workersServing(2)
  t.equal([...life.output.matchAll(/is recycled/g)].length, 1)
})

t.test('an unhealthy worker is replaced: its replacement is healthy before it retires', async (t) => {
  const life = new Life(t, checked())
  const port = await life.port()
  await life.workersServing(2)
  await until(async () => (await life.status()).processes.every(({ vitals }) => vitals?.healthy), 'healthy')
  life.put('sick-1')
  await life.printed(/worker=1 gen=1 pid=\d+ is unhealthy: its health check returned false/)
  const { data } = await life.event('worker:exit')
  t.match(data, {
    id: 1,
    reason: 'unhealthy',
    failed: true,
    error: { message: /it is unhealthy: its health check returned false/ }
  })
  await life.workersServing(2)
  t.not(await idOf(port), 1)
  const { crashes, serving } = await life.status()
  t.match(crashes, [{ id: 1, reason: 'unhealthy', times: 1 }])
  t.equal(serving, 2)
})

t.test(
  'when nothing helps the old workers stay, replacements come ever more slowly, and who is well again stays',
  async (t) => {
    const life = new Life(t, checked())
    const port = await life.port()
    const pids = await life.workersServing(2)
    await until(async () => (await life.status()).processes.every(({ vitals }) => vitals?.healthy), 'healthy')
    life.put('throws')
    await life.printed(/3 failures in a row in place/)
    t.ok(
      pids.every((pid) => life.workers.includes(pid)),
      'both old ones are there'
    )
    t.equal((await get(port)).status, 200, 'and answer')
    life.remove('throws')
    await life.printed(/is healthy again; it stays/)
    await life.workersServing(2)
    await until(() => life.workers.length === 2 && pids.every((pid) => life.workers.includes(pid)), 'the same two')
  }
)

t.test('new code that is not healthy fails the reload, and the old serves on', async (t) => {
  for (const fault of ['sick', 'silent']) {
    const life = new Life(t, checked())
    const port = await life.port()
    const pids = await life.workersServing(2)
    await until(async () => (await life.status()).processes.every(({ vitals }) => vitals?.healthy), 'healthy')
    const file = fault === 'sick' ? 'sick-3' : 'silent'
    life.put(file)
    const error = await life.call('reload').catch((told) => told)
    t.match(error, { code: 'MAPACHE_SETTLE_FAILED', phase: 'settle', cause: { message: /it is unhealthy/ } })
    life.remove(file)
    await life.workersServing(2)
    t.strictSame(life.workers.sort(), pids.sort())
    t.equal((await get(port)).status, 200)
  }
})
