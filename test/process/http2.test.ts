import { once } from 'node:events'
import http2, { type ClientHttp2Session } from 'node:http2'
import t, { type Test } from 'tap'
import { before, get } from '../support/fixture.js'
import { RawClient } from '../support/raw.js'
import { everyWorker, type Serve, type ServeOptions, serve } from '../support/serve.js'

interface App extends Serve {
  /** The worker of generation 1. */
  old: number
  port: number
  session(): Promise<ClientHttp2Session>
}

async function start(t: Test, scheme: string, options: ServeOptions = {}): Promise<App> {
  const served = serve(t, 'drain.mjs', { args: [scheme], settings: { workers: 1 }, ...options })
  const port = await served.fixture.port()
  const [old = 0] = await served.fixture.workersServing(1)
  const session = async () => {
    const url = `${scheme === 'h2' ? 'https' : 'http'}://127.0.0.1:${port}`
    const opened = http2.connect(url, { rejectUnauthorized: false })
    t.teardown(() => opened.destroy())
    await before(once(opened, 'remoteSettings'), () => `a session with ${url}`)
    return opened
  }
  return { ...served, old, port, session }
}

/** One stream of a session: its answer, whole. */
async function ask(session: ClientHttp2Session, path: string): Promise<{ status: number; body: string }> {
  const stream = session.request({ ':path': path })
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    body += text
  })
  const responded = once(stream, 'response')
  const ended = once(stream, 'end')
  const [[headers]] = await before(Promise.all([responded, ended]), () => `the answer to ${path}`)
  return { status: Number(headers[':status']), body }
}

for (const scheme of ['h2c', 'h2']) {
  t.test(`${scheme}: the session is told to go away, and its open streams are finished`, async (t) => {
    const app = await start(t, scheme)
    const { fixture, old } = app
    const session = await app.session()
    const away = once(session, 'goaway')
    const closed = once(session, 'close')
    const held = ['a', 'b', 'c'].map((name) => ask(session, `/hold?${name}`))
    const streamed = ask(session, '/stream?d')
    for (const name of ['a', 'b', 'c', 'd']) t.equal(await app.reached(name), old)
    await app.reload(2, old)
    const [code] = await before(away, () => 'GOAWAY')
    t.equal(code, http2.constants.NGHTTP2_NO_ERROR)
    const fresh = await app.session()
    t.not(JSON.parse((await ask(fresh, '/')).body).pid, old, 'new sessions come to the new worker')
    for (const name of ['c', 'd', 'b', 'a']) app.release(name)
    t.strictSame(
      await Promise.all(held),
      ['a', 'b', 'c'].map((name) => ({ status: 200, body: `held ${name} ${old}` }))
    )
    t.strictSame(await streamed, { status: 200, body: `first second ${old}` })
    await before(closed, () => 'the end of the session')
    await fixture.printed(new RegExp(`pid=${old} exited \\(reload\\)`))
    t.equal((await ask(fresh, '/')).status, 200)
  })

  t.test(`${scheme}: an upload that is under way is taken whole`, async (t) => {
    const app = await start(t, scheme)
    const session = await app.session()
    const stream = session.request({ ':path': '/upload?u', ':method': 'POST' })
    stream.setEncoding('utf8')
    stream.write('1234')
    t.equal(await app.reached('u'), app.old)
    const away = once(session, 'goaway')
    await app.reload(2, app.old)
    await before(away, () => 'GOAWAY')
    const answer = once(stream, 'data')
    stream.end('567890')
    t.strictSame(await before(answer, () => 'the answer'), [`got 10 ${app.old}`])
    await app.fixture.printed(new RegExp(`pid=${app.old} exited \\(reload\\)`))
  })

  t.test(`${scheme}: a session without streams is told to go away at once, and keeps no worker`, async (t) => {
    const app = await start(t, scheme)
    const idle = await app.session()
    await ask(idle, '/')
    const ends = Promise.all([once(idle, 'goaway'), once(idle, 'close')])
    await app.reload(2, app.old)
    await before(ends, () => 'the end of the session')
    await app.fixture.printed(new RegExp(`pid=${app.old} exited \\(reload\\)`))
  })

  t.test(`${scheme}: streams that are left at drainTimeout are cut, and counted`, async (t) => {
    const app = await start(t, scheme, { settings: { workers: 1, drainTimeout: 300 } })
    const session = await app.session()
    const streams = ['a', 'b'].map((name) => session.request({ ':path': `/hold?${name}` }).on('error', () => {}))
    session.on('error', () => {})
    for (const name of ['a', 'b']) await app.reached(name)
    const closes = streams.map((stream) => once(stream, 'close'))
    await app.reload(2, app.old)
    await before(Promise.all(closes), () => 'the cut')
    await app.fixture.printed(
      new RegExp(
        `pid=${app.old} reached drainTimeout after \\d+ ms: ` +
          'cut 0 requests, 0 upgraded sockets, 2 HTTP/2 streams; closed 0 idle connections'
      )
    )
  })

  t.test(`${scheme}: on a stop a session that was queued in the kernel is answered`, async (t) => {
    const app = await start(t, scheme)
    const blocker = await app.session()
    const blocked = ask(blocker, '/spin?a')
    await app.reached('a')
    // The worker's loop stands still: the kernel has these, and nobody has accepted them.
    const queued = Array.from({ length: 3 }, () => {
      const url = `${scheme === 'h2' ? 'https' : 'http'}://127.0.0.1:${app.port}`
      const session = http2.connect(url, { rejectUnauthorized: false })
      t.teardown(() => session.destroy())
      return { connected: once(session, 'connect'), answer: ask(session, '/') }
    })
    if (scheme === 'h2c') await Promise.all(queued.map(({ connected }) => connected))
    app.fixture.kill('SIGTERM')
    await app.fixture.printed(/retiring \(stop\)/)
    app.release('a')
    t.strictSame(await blocked, { status: 200, body: `spun ${app.old}` })
    for (const { answer } of queued) t.equal((await answer).status, 200)
    t.strictSame(await app.fixture.exit(), { code: 0, signal: null })
  })
}

t.test('HTTP/1.1 beside HTTP/2 is drained as HTTP/1.1', async (t) => {
  const app = await start(t, 'h2')
  const where = { host: '127.0.0.1', port: app.port, tls: true }
  const clients = await Promise.all([RawClient.open(where), RawClient.open(where)])
  const [busy, idle] = clients as [RawClient, RawClient]
  for (const client of clients) t.teardown(() => client.close())
  t.equal((await idle.ask().answer()).close, false)
  busy.ask('/hold?a')
  await app.reached('a')
  await app.reload(2, app.old)
  t.equal((await idle.ask().answer()).close, true)
  app.release('a')
  t.strictSame(await busy.answer(), { status: 200, body: `held a ${app.old}`, close: true })
  for (const client of clients) await client.ended()
  await app.fixture.printed(new RegExp(`pid=${app.old} exited \\(reload\\)`))
})

t.test('all workers serve HTTP/2, and HTTP/1.1 beside it where that is allowed', async (t) => {
  const app = serve(t, 'drain.mjs', { args: ['h2'], settings: { workers: 2 } })
  const port = await app.fixture.port()
  const ask2 = async () => {
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    try {
      return { ...(await ask(session, '/')), headers: {} }
    } finally {
      session.close()
    }
  }
  t.equal((await everyWorker(2, ask2)).size, 2)
  t.equal((await everyWorker(2, () => get({ host: '127.0.0.1', port, protocol: 'https:' }))).size, 2)
})
