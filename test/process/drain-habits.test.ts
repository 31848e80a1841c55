import t, { type Test } from 'tap'
import { RawClient, request } from '../support/raw.js'
import { type Serve, serve } from '../support/serve.js'

/** A cluster of one worker, clients of it, and a reload that has them all on the worker that retires. */
interface Retiring extends Serve {
  /** The worker of generation 1. */
  old: number
  /** Opens a connection that the worker of generation 1 has accepted. */
  connect(): Promise<RawClient>
  retire(): Promise<void>
}

async function start(t: Test, scheme: string, env: NodeJS.ProcessEnv = {}): Promise<Retiring> {
  const served = serve(t, 'drain.mjs', { args: [scheme], settings: { workers: 1 }, env })
  const { fixture } = served
  const port = await fixture.port()
  const [old = 0] = await fixture.workersServing(1)
  return {
    ...served,
    old,
    connect: async () => {
      const client = await RawClient.open({ host: '127.0.0.1', port, tls: scheme === 'https' })
      t.teardown(() => client.close())
      await fixture.printed(new RegExp(`^accepted ${client.socket.localPort} ${old}$`, 'm'))
      return client
    },
    retire: async () => {
      await served.reload(2, old)
      t.not(JSON.parse((await once(port, scheme)).body).pid, old, 'new connections come to the new worker')
    }
  }
}

async function once(port: number, scheme: string) {
  const client = await RawClient.open({ host: '127.0.0.1', port, tls: scheme === 'https' })
  const answer = await client.ask().answer()
  client.close()
  return answer
}

/** All is answered: the old worker leaves, by itself and with code 0. */
async function leaves({ fixture, old }: Retiring): Promise<void> {
  await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
}

for (const scheme of ['http', 'https']) {
  t.test(`${scheme}: an answer that is under way is finished, and says Connection: close`, async (t) => {
    const app = await start(t, scheme)
    const client = await app.connect()
    client.ask('/hold?a')
    t.equal(await app.reached('a'), app.old)
    await app.retire()
    app.release('a')
    t.strictSame(await client.answer(), { status: 200, body: `held a ${app.old}`, close: true })
    await client.ended()
    await leaves(app)
  })

  t.test(`${scheme}: connections that are idle or silent are served when they speak, and closed then`, async (t) => {
    const app = await start(t, scheme)
    const idle = await app.connect()
    t.equal((await idle.ask().answer()).close, false)
    const silent = await app.connect()
    await app.retire()
    for (const client of [idle, silent]) {
      const { body, close } = await client.ask().answer()
      t.strictSame({ pid: JSON.parse(body).pid, close }, { pid: app.old, close: true })
      await client.ended()
    }
    await leaves(app)
  })

  t.test(`${scheme}: a request whose head or body is still coming is answered`, async (t) => {
    const app = await start(t, scheme)
    const head = await app.connect()
    // The first answer says that the beginning of the next head has been read, too.
    head.send(`${request('/')}GET /late HTTP/1.1\r\nHo`)
    await head.answer()
    const body = await app.connect()
    body.send('POST /upload?b HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n1234')
    const chunked = await app.connect()
    chunked.send('POST /upload?c HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n')
    await Promise.all([app.reached('b'), app.reached('c')])
    await app.retire()
    head.send('st: test\r\n\r\n')
    body.send('567890')
    chunked.send('6\r\n567890\r\n0\r\n\r\n')
    t.strictSame(await head.answer(), {
      status: 200,
      body: JSON.stringify({ pid: app.old, path: '/late' }),
      close: true
    })
    for (const client of [body, chunked]) {
      t.strictSame(await client.answer(), { status: 200, body: `got 10 ${app.old}`, close: true })
      await client.ended()
    }
    await leaves(app)
  })

  t.test(`${scheme}: a streamed answer is finished, and its connection serves once more`, async (t) => {
    const app = await start(t, scheme)
    const client = await app.connect()
    client.ask('/stream?a')
    await client.received(/first/)
    await app.retire()
    app.release('a')
    // Its head was sent before the drain began.
    t.strictSame(await client.answer(), { status: 200, body: `first second ${app.old}`, close: false })
    t.equal((await client.ask().answer()).close, true)
    await client.ended()
    await leaves(app)
  })

  t.test(`${scheme}: requests pipelined behind one that is under way are answered, the last says close`, async (t) => {
    const app = await start(t, scheme)
    const client = await app.connect()
    client.ask('/hold?a')
    await app.reached('a')
    await app.retire()
    client.ask('/hold?b')
    await app.reached('b')
    client.ask('/hold?c')
    await app.reached('c')
    for (const name of ['c', 'b', 'a']) app.release(name)
    t.strictSame(await answers(client, 3), [
      [`held a ${app.old}`, false],
      [`held b ${app.old}`, false],
      [`held c ${app.old}`, true]
    ])
    await client.ended()
    await leaves(app)
  })

  t.test(`${scheme}: requests pipelined in one write are answered, and the last says close`, async (t) => {
    const app = await start(t, scheme)
    const silent = await app.connect()
    const idle = await app.connect()
    await idle.ask().answer()
    await app.retire()
    for (const client of [silent, idle]) {
      client.send(['/1', '/2', '/3'].map(request).join(''))
      t.strictSame(
        (await answers(client, 3)).map(([body, close]) => [JSON.parse(body).path, close]),
        [
          ['/1', false],
          ['/2', false],
          ['/3', true]
        ]
      )
      await client.ended()
    }
    await leaves(app)
  })

  t.test(`${scheme}: a client that ends its side after its request gets its answer`, async (t) => {
    const app = await start(t, scheme)
    const silent = await app.connect()
    const idle = await app.connect()
    await idle.ask().answer()
    await app.retire()
    for (const client of [silent, idle]) {
      client.ask()
      client.socket.end()
      t.strictSame(JSON.parse((await client.answer()).body), { pid: app.old, path: '/' })
      await client.ended()
    }
    await leaves(app)
  })
}

for (const env of [{}, { CHECK_CONTINUE: '1' }]) {
  const who = 'CHECK_CONTINUE' in env ? "the app's own checkContinue" : 'Node'
  t.test(`a request with Expect: 100-continue is let through by ${who}, and answered`, async (t) => {
    const app = await start(t, 'http', env)
    const client = await app.connect()
    await client.ask().answer()
    const waiting = await app.connect()
    const head = 'POST /upload?a HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n'
    waiting.send(head)
    await waiting.received(/^HTTP\/1\.1 100 /)
    await app.retire()
    client.send(head)
    await client.received(/HTTP\/1\.1 100 /)
    for (const one of [client, waiting]) {
      t.strictSame(await one.send('abc').answer(), { status: 200, body: `got 3 ${app.old}`, close: true })
      await one.ended()
    }
    await leaves(app)
  })
}

t.test('HTTP/1.0, with and without keep-alive, is answered and closed', async (t) => {
  const app = await start(t, 'http')
  const kept = await app.connect()
  kept.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  t.equal((await kept.answer()).close, false)
  const plain = await app.connect()
  const late = await app.connect()
  plain.send('GET /hold?a HTTP/1.0\r\n\r\n')
  await app.reached('a')
  await app.retire()
  app.release('a')
  kept.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  late.send('GET / HTTP/1.0\r\n\r\n')
  t.strictSame(await plain.answer(), { status: 200, body: `held a ${app.old}`, close: true })
  for (const client of [kept, late]) t.equal((await client.answer()).close, true)
  for (const client of [kept, late, plain]) await client.ended()
  await leaves(app)
})

async function answers(client: RawClient, count: number): Promise<[body: string, close: boolean][]> {
  const all: [string, boolean][] = []
  while (all.length < count) {
    const { body, close } = await client.answer()
    all.push([body, close])
  }
  return all
}
