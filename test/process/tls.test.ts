import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import tls, { type SecureVersion } from 'node:tls'
import t from 'tap'
import { point, put } from '../support/deploy.js'
import { before, FIXTURES, type Fixture, start, until } from '../support/fixture.js'
import { certificate } from '../support/loss/certificate.js'
import { serve } from '../support/serve.js'

interface Visit {
  pid: number
  reused: boolean
  session: Buffer
}

/** One request on a TLS connection of its own, with the session of another if one is given. */
async function visit(port: number, version: SecureVersion, session?: Buffer): Promise<Visit> {
  const versions = { minVersion: version, maxVersion: version }
  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    ...versions,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
    ...(session ? { session } : {})
  })
  let latest = session
  socket.on('session', (ticket) => {
    latest = ticket
  })
  let reused = false
  socket.on('secureConnect', () => {
    reused = socket.isSessionReused()
  })
  let text = ''
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece
  })
  const closed = once(socket, 'close')
  socket.write('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
  await before(closed, () => 'an answer over TLS')
  if (!latest) throw new Error(`no session; got ${text}`)
  return { pid: Number(/\r\n\r\n\D*(\d+)/.exec(text)?.[1]), reused, session: latest }
}

/** Visits with the session until each of so many workers has answered. @returns the visits, one of each worker, by pid */
async function visitAll(port: number, version: SecureVersion, count: number, session: Buffer) {
  const visits = new Map<number, boolean>()
  await until(async () => {
    const some = await Promise.all(Array.from({ length: 4 }, () => visit(port, version, session)))
    for (const { pid, reused } of some) visits.set(pid, (visits.get(pid) ?? true) && reused)
    return visits.size >= count
  }, `visits of ${count} workers`)
  return visits
}

async function reload(fixture: Fixture, generation: number): Promise<void> {
  fixture.kill('SIGHUP')
  await fixture.printed(new RegExp(`reloaded: gen=${generation} serves`))
  await until(
    () => fixture.log.filter(({ msg }) => / exited \(reload\)/.test(msg)).length === 2,
    'the old workers gone'
  )
}

for (const scheme of ['https', 'h2']) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.test(`${scheme}: a session of ${version} resumes on each worker, and after a reload`, async (t) => {
      const { fixture } = serve(t, 'tls.mjs', { args: [scheme] })
      const port = await fixture.port()
      const old = await fixture.workersServing(2)
      const first = await visit(port, version)
      t.equal(first.reused, false)
      const visits = await visitAll(port, version, 2, first.session)
      t.strictSame([...visits.keys()].sort(), old.sort())
      t.strictSame([...visits.values()], [true, true])
      await reload(fixture, 2)
      const fresh = await visitAll(port, version, 2, first.session)
      t.notOk([...fresh.keys()].some((pid) => old.includes(pid)))
      t.strictSame([...fresh.values()], [true, true])
    })
  }
}

t.test('ticket keys of the app stay its own: who else has them resumes its sessions, too', async (t) => {
  const keys = randomBytes(48)
  const sessionIdContext = 'test'
  const { fixture } = serve(t, 'tls.mjs', {
    env: { TLS: JSON.stringify({ ticketKeys: keys.toString('hex'), sessionIdContext }) }
  })
  const port = await fixture.port()
  await fixture.workersServing(2)
  const stranger = https.createServer({ ...certificate, ticketKeys: keys, sessionIdContext }, (_req, res) =>
    res.end('0')
  )
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  t.teardown(() => stranger.close())
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { session } = await visit(port, version)
    t.strictSame([...(await visitAll(port, version, 2, session)).values()], [true, true])
    t.equal((await visit((stranger.address() as AddressInfo).port, version, session)).reused, true)
  }
})

t.test('without keys of its own the app has some that nobody else has', async (t) => {
  const sessionIdContext = 'test'
  const env = { TLS: JSON.stringify({ sessionIdContext }) }
  const [one, other] = [serve(t, 'tls.mjs', { env }), serve(t, 'tls.mjs', { env })]
  const { session } = await visit(await one.fixture.port(), 'TLSv1.3')
  t.equal((await visit(await one.fixture.port(), 'TLSv1.3', session)).reused, true)
  t.equal((await visit(await other.fixture.port(), 'TLSv1.3', session)).reused, false)
})

t.test('a session resumes in another release folder behind the same symlink', async (t) => {
  const folder = t.testdir()
  const code = `import ${JSON.stringify(path.join(FIXTURES, 'serve/tls.mjs'))}`
  for (const release of ['r1', 'r2']) put(path.join(folder, release, 'app.mjs'), code)
  const current = path.join(folder, 'current')
  point(current, path.join(folder, 'r1'))
  const fixture = start(t, path.join(current, 'app.mjs'), { cwd: folder })
  const port = await fixture.port()
  await fixture.workersServing(2)
  const { session } = await visit(port, 'TLSv1.3')
  point(current, path.join(folder, 'r2'))
  await reload(fixture, 2)
  t.strictSame([...(await visitAll(port, 'TLSv1.3', 2, session)).values()], [true, true])
})
