import t, { type Test } from 'tap'
import { get } from '../support/fixture.js'
import { RawClient } from '../support/raw.js'
import { type Serve, type ServeOptions, serve } from '../support/serve.js'

interface App extends Serve {
  /** The worker of generation 1. */
  old: number
  /** Opens a connection that this worker has accepted. */
  connect(port?: number): Promise<RawClient>
}

async function start(t: Test, options: ServeOptions): Promise<App> {
  const served = serve(t, 'grace.mjs', { settings: { workers: 1 }, ...options })
  const { fixture } = served
  const first = await fixture.port()
  const [old = 0] = await fixture.workersServing(1)
  return {
    ...served,
    old,
    connect: async (port = first) => {
      const client = await RawClient.open(port)
      t.teardown(() => client.close())
      await fixture.printed(new RegExp(`^accepted ${client.socket.localPort} ${old}$`, 'm'))
      return client
    }
  }
}

t.test("Fastify's own close runs when no connection is left: nobody gets a 503", async (t) => {
  const app = await start(t, {})
  const { fixture, old } = app
  const busy = await app.connect()
  busy.ask('/hold?a')
  await app.reached('a')
  const idle = await app.connect()
  await idle.ask().answer()
  const silent = await app.connect()
  await app.reload(2, old)
  app.release('a')
  t.strictSame(await busy.answer(), { status: 200, body: `held ${old}`, close: true })
  for (const client of [idle, silent]) {
    t.notMatch(fixture.output, `closing ${old}`)
    t.strictSame(await client.ask().answer(), { status: 200, body: `{"pid":${old}}`, close: true })
    await client.ended()
  }
  await fixture.printed(
    new RegExp(`answering ${old}\n[^]*closing ${old}\n[^]*closed ${old}\n[^]*pid=${old} exited \\(`)
  )
})

t.test("the app's own SIGTERM handler runs after the drain of a reload", async (t) => {
  const app = await start(t, { env: { GRACE: '1' } })
  const { fixture, old } = app
  const busy = await app.connect()
  busy.ask('/hold?a')
  await app.reached('a')
  const silent = await app.connect()
  await app.reload(2, old)
  t.equal((await silent.ask().answer()).status, 200)
  app.release('a')
  t.strictSame(await busy.answer(), { status: 200, body: `held ${old}`, close: true })
  await fixture.printed(new RegExp(`answering ${old}\n[^]*closed ${old}\n[^]*grace ${old} SIGTERM\n`))
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
})

t.test("a SIGTERM to a worker is a drain, too, and the app's own handler runs after it", async (t) => {
  const app = await start(t, { env: { GRACE: '1' } })
  const { fixture, old } = app
  const busy = await app.connect()
  busy.ask('/hold?a')
  await app.reached('a')
  const silent = await app.connect()
  process.kill(old, 'SIGTERM')
  await fixture.printed(new RegExp(`^retiring ${old}$`, 'm'))
  // Once more, as a service manager does that grows impatient.
  process.kill(old, 'SIGTERM')
  t.strictSame(await silent.ask().answer(), { status: 200, body: `{"pid":${old}}`, close: true })
  t.not((await get(await fixture.port())).body, `{"pid":${old}}`)
  app.release('a')
  t.strictSame(await busy.answer(), { status: 200, body: `held ${old}`, close: true })
  await fixture.printed(new RegExp(`answering ${old}\n[^]*grace ${old} SIGTERM\n`))
  await fixture.printed(new RegExp(`pid=${old} exited \\(signal\\)`))
})

t.test('a second server of the app is shared, drained, and serves again after a reload', async (t) => {
  const app = await start(t, { env: { METRICS: '1' } })
  const { fixture, old } = app
  const [first = '', second = ''] = await fixture.serving()
  const ports = [first, second].map((one) => Number(one.split(':')[1]))
  const [, metrics] = ports as [number, number]
  const busy = await app.connect(metrics)
  busy.ask('/hold')
  await app.reached('metrics')
  const idle = await app.connect(metrics)
  t.equal((await idle.ask().answer()).body, `metrics ${old}`)
  const main = await app.connect()
  await app.reload(2, old)
  t.match((await get(metrics)).body, /^metrics \d+$/)
  t.not((await get(metrics)).body, `metrics ${old}`)
  t.strictSame(await main.ask().answer(), { status: 200, body: `{"pid":${old}}`, close: true })
  t.notMatch(fixture.output, `closing ${old}`, 'the app is not closed while its second server is in use')
  t.strictSame(await idle.ask().answer(), { status: 200, body: `metrics ${old}`, close: true })
  app.release('metrics')
  t.strictSame(await busy.answer(), { status: 200, body: `metrics ${old}`, close: true })
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
})

t.test('where more than maxRetiring drain, the oldest closes what is idle and finishes what runs', async (t) => {
  const app = await start(t, { settings: { workers: 1, maxRetiring: 1 } })
  const { fixture, old } = app
  const busy = await app.connect()
  busy.ask('/hold?a')
  await app.reached('a')
  const idle = await app.connect()
  await idle.ask().answer()
  const silent = await app.connect()
  await app.reload(2, old)
  t.strictSame([idle.end, silent.end], ['open', 'open'])
  const [young = 0] = await fixture.workersServing(1)
  const younger = await RawClient.open(await fixture.port())
  t.teardown(() => younger.close())
  await younger.ask().answer()
  await app.reload(3, young)
  await Promise.all([idle.ended(), silent.ended()])
  t.equal(busy.end, 'open')
  app.release('a')
  t.strictSame(await busy.answer(), { status: 200, body: `held ${old}`, close: true })
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
  t.strictSame(await younger.ask().answer(), { status: 200, body: `{"pid":${young}}`, close: true })
})

t.test('localhost of both families: the second server that Fastify opens for it is drained as well', async (t) => {
  const nodeArgs = ['--import', new URL('../../fixtures/serve/localhost.mjs', import.meta.url).href]
  const app = await start(t, { nodeArgs, listen: [{ port: 0 }] })
  const { fixture, old } = app
  const addresses = await fixture.serving()
  const port = await fixture.port()
  t.strictSame(addresses, [`127.0.0.1:${port}`, `[::1]:${port}`])
  const clients = await Promise.all(['127.0.0.1', '::1'].map((host) => RawClient.open({ host, port })))
  for (const [index, client] of clients.entries()) {
    t.teardown(() => client.close())
    t.equal((await client.ask().answer()).body, `{"pid":${old}}`)
    client.ask(`/hold?${index}`)
    await app.reached(String(index))
  }
  await app.reload(2, old)
  for (const [index, client] of clients.entries()) {
    app.release(String(index))
    t.strictSame(await client.answer(), { status: 200, body: `held ${old}`, close: true })
  }
  for (const host of ['127.0.0.1', '::1']) t.not((await get({ host, port })).body, `{"pid":${old}}`)
  await fixture.printed(new RegExp(`closed ${old}\n[^]*pid=${old} exited \\(reload\\)`))
})
