import http from 'node:http'
import t, { type Test } from 'tap'
import { get, isRunning, until } from '../support/fixture.js'
import { formatReport, HTTP1_HABITS, startLoad } from '../support/loss/index.js'
import { askVersion, OldFirstApp, Versions, type Way } from '../support/old-first.js'
import { RawClient } from '../support/raw.js'

const WAYS: Way[] = process.platform === 'linux' ? ['spawned', 'fork', 'standby'] : ['spawned', 'standby']
const RELOADS = 6

for (const way of WAYS) {
  for (const secure of way === 'standby' ? [false] : [false, true]) {
    t.test(`${way}${secure ? ', over TLS' : ''}: nothing is lost, and no old answer follows a new one`, async (t) => {
      const app = new OldFirstApp(t, { way, secure })
      const port = await app.up()
      const versions = new Versions(t, app, port)
      // A client that pipelines by and by may write once more while `Connection: close` is on its way.
      const habits = HTTP1_HABITS.filter((habit) => habit !== 'pipelined-apart')
      const load = startLoad({ port, tls: secure, habits, concurrency: 1, pace: 5, think: [5, 100] })
      await load.warm()
      for (let version = 2; version < RELOADS + 2; version += 1) {
        app.deploy(version)
        t.match(await app.oldFirst(), { generation: version })
        t.equal((await askVersion(port, secure)).version, version)
        await versions.more(10)
      }
      const report = await load.stop()
      t.equal(report.lost, 0, formatReport(report))
      t.strictSame(await versions.stop(), [])
      const { pid, heavy, version } = await askVersion(port, secure)
      t.equal(version, RELOADS + 1)
      if (way === 'standby') t.equal(heavy, pid, 'it had the base loaded before it was a worker')
      else if (way === 'fork') t.ok(heavy && heavy !== pid, 'its base loaded it')
      else t.equal(heavy, undefined)
      await app.workersServing(2)
    })
  }
}

t.test('the new workers are launched when none of the old ones answers any more', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 3 } })
  await app.up(3)
  await app.oldFirst()
  const events = await app.events()
  const order = events.slice(events.findIndex(({ name }) => name === 'reload:start')).flatMap(({ name, data }) => {
    return /^worker:(launch|retire)$/.test(name) ? [`${name} ${data.generation}`] : []
  })
  t.strictSame(order, [...Array<string>(3).fill('worker:retire 1'), ...Array<string>(3).fill('worker:launch 2')])
  t.match((await app.event('reload:done')).data, { generation: 2 })
  await app.event('worker:exit', 3)
  for (const { name, data } of await app.events()) {
    if (name === 'worker:exit')
      t.match(data, { generation: 1, reason: 'reload', failed: false, drained: { cutRequests: 0 } })
  }
})

t.test(
  'what began before is finished by the old worker, and what comes after on the same connections is not',
  async (t) => {
    const app = new OldFirstApp(t, { settings: { workers: 1 } })
    const port = await app.up(1)
    const [kept, held, half] = [await open(t, port), await open(t, port), await open(t, port)]
    kept.ask('/version')
    const old = JSON.parse((await kept.answer()).body).pid
    held.ask('/hold?name=held')
    half.ask('/half?name=half')
    await app.printed(/reached held/)
    await half.received(/half/)
    app.deploy(2)
    await app.oldFirst()
    kept.ask('/version')
    const answer = await kept.answer()
    t.match(JSON.parse(answer.body), { version: 2, generation: 2 }, 'handed on to the new one')
    t.ok(answer.close, 'and its client is told to open another connection')
    await kept.ended()
    app.put('held')
    app.put('half')
    t.match(JSON.parse((await held.answer()).body), { version: 1, pid: old })
    t.equal((await half.answer()).body, 'half and whole 1')
    await until(() => !isRunning(old), 'the end of the old worker')
  }
)

t.test('what arrives before there is a new one waits for it', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 1 } })
  const port = await app.up(1)
  const kept = await open(t, port)
  kept.ask('/version')
  await kept.answer()
  app.put('shut')
  app.deploy(2, "while (gate('shut')) await new Promise((resolve) => setTimeout(resolve, 5))")
  const reload = app.oldFirst()
  await app.printed(/retiring \(reload\)/)
  // Sent to the old one while nobody listens, by and by, as a whole and in pieces, alone and several at once.
  kept.ask('/version').ask('/version')
  kept.send('POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
  const fresh = askVersion(port)
  await app.printed(/retiring/)
  kept.send('6\r\n world\r\n0\r\n\r\n')
  t.equal((await app.status()).serving, 0)
  app.remove('shut')
  t.match(await reload, { generation: 2 })
  for (let count = 0; count < 2; count += 1) t.match(JSON.parse((await kept.answer()).body), { version: 2 })
  t.equal((await kept.answer()).body, 'hello world 2')
  t.match(await fresh, { version: 2 })
})

t.test(
  'requests that wait for 100-continue, have no body or are asked for the head alone are handed on as well',
  async (t) => {
    const app = new OldFirstApp(t, { settings: { workers: 1 } })
    const port = await app.up(1)
    const used = async (): Promise<RawClient> => {
      const client = await open(t, port)
      client.ask('/version')
      await client.answer()
      return client
    }
    const [expecting, sized, head] = [await used(), await used(), await used()]
    app.deploy(2)
    await app.oldFirst()
    expecting.send('POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    await expecting.received(/100 Continue/)
    expecting.send('hi')
    await expecting.received(/hi 2$/)
    sized.send('PUT /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc')
    t.equal((await sized.answer()).body, 'abc 2')
    head.send('HEAD /version HTTP/1.1\r\nHost: test\r\n\r\n')
    await head.received(/HTTP[\s\S]*HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/)
    await head.ended()
  }
)

t.test('an old worker that is blocked is killed, and what waits is answered', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 1, hangTimeout: 0 } })
  const port = await app.up(1)
  const blocked = t.rejects(get(port, '/block?name=never'))
  const [, pid] = await app.printed(/reached never (\d+)/)
  app.deploy(2)
  const began = performance.now()
  const reload = app.oldFirst()
  const waiting = askVersion(port)
  t.match(await reload, { generation: 2 })
  t.ok(performance.now() - began >= 3_000, 'it had three seconds to say that it hands on what it gets')
  t.match(await waiting, { version: 2 })
  await blocked
  t.notOk(isRunning(Number(pid)))
  await app.printed(/does not answer any more: its event loop is blocked; killed/)
})

t.test('a reload that runs is dropped for one that is newer', async (t) => {
  const app = new OldFirstApp(t)
  const port = await app.up()
  app.put('shut')
  app.deploy(2, "while (gate('shut')) await new Promise((resolve) => setTimeout(resolve, 5))")
  const dropped = t.rejects(app.oldFirst(), { code: 'MAPACHE_RELOAD_SUPERSEDED' })
  await app.event('worker:launch', 4)
  app.deploy(3)
  t.match(await app.oldFirst(), { generation: 3 })
  await dropped
  t.equal((await askVersion(port)).version, 3)
  await app.workersServing(2)
  t.equal((await app.status()).processes.filter(({ generation }) => generation === 2).length, 0)
})

t.test('workers that retire from an ordinary reload do not answer with old code either', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 1 } })
  const port = await app.up(1)
  const kept = await open(t, port)
  kept.ask('/version')
  await kept.answer()
  await app.call('reload')
  app.deploy(3)
  t.match(await app.oldFirst(), { generation: 3 })
  kept.ask('/version')
  t.match(JSON.parse((await kept.answer()).body), { version: 3 })
})

t.test('without a fallback code that does not boot is tried again, and nothing old serves', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 1, backoff: { min: 50, max: 200 } } })
  const port = await app.up(1)
  app.deploy(2, "throw new Error('no database')")
  await t.rejects(app.oldFirst(), { code: 'MAPACHE_BOOT_FAILED', cause: { message: 'no database' } })
  t.match(await app.cluster(), { generation: 2 })
  const waiting = askVersion(port)
  app.deploy(3)
  t.match(await waiting, { version: 3, generation: 2 }, 'a worker that is launched again loads what is there by then')
  t.match(await app.oldFirst(), { generation: 3 })
})

t.test('a client that goes while its request waits is no trouble', async (t) => {
  const app = new OldFirstApp(t, { settings: { workers: 1 } })
  const port = await app.up(1)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  await askVersion(port, false, agent)
  app.put('shut')
  app.deploy(2, "while (gate('shut')) await new Promise((resolve) => setTimeout(resolve, 5))")
  const reload = app.oldFirst()
  // From then on the old worker answers nothing by itself.
  await app.event('worker:launch', 2)
  const gone = t.rejects(askVersion(port, false, agent))
  // Time to be handed on; the test holds without it, too.
  await new Promise((resolve) => setTimeout(resolve, 50))
  agent.destroy()
  await gone
  app.remove('shut')
  t.match(await reload, { generation: 2 })
  t.equal((await askVersion(port)).version, 2)
  t.strictSame(
    app.log.filter(({ level }) => level >= 50),
    []
  )
})

async function open(t: Test, port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  t.teardown(() => client.close())
  return client
}
