import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { before, type Fixture, get, start, startCli, type Test } from '../support/fixture.js'
import { certificate } from '../support/loss/index.js'

const app = (listen: string, options = '{}') => `import { mapacheHttp } from '@mapache/core'
const cluster = await mapacheHttp(() => (_req, res) => res.end(String(process.pid)), { workers: 2, settle: 50, ...${options} }).listen(${listen})
if (cluster.role === 'supervisor') console.log('addresses ' + JSON.stringify(cluster.addresses))`

function run(t: Test & { testdir(): string }, code: string): Fixture {
  return start(t, put(path.join(t.testdir(), 'app.mjs'), code))
}

async function addresses(fixture: Fixture): Promise<{ address: string; port: number; path?: string }[]> {
  const [, json = ''] = await fixture.printed(/addresses (\[.*\])/)
  return JSON.parse(json)
}

t.test('a port 0 is one port for all workers, and is reported', async (t) => {
  const fixture = run(t, app('0, "127.0.0.1"'))
  const [address] = await addresses(fixture)
  const pids = await fixture.workersServing(2)
  const seen = new Set<string>()
  for (let i = 0; i < 200 && seen.size < 2; i += 1) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get({ port: address?.port, host: '127.0.0.1' })))
    for (const { body } of answers) seen.add(body)
  }
  t.strictSame([...seen].map(Number).sort(), pids.sort())
})

t.test('no host is every address, IPv4 and IPv6', async (t) => {
  const fixture = run(t, app('0'))
  const [address] = await addresses(fixture)
  t.equal((await get({ port: address?.port, host: '127.0.0.1' })).status, 200)
  if (address?.address === '::') t.equal((await get({ port: address.port, host: '::1' })).status, 200)
})

t.test('localhost is served on every family that it has', async (t) => {
  const hosts = (await lookup('localhost', { all: true })).map(({ address }) => address)
  for (const fixture of [
    run(t, app('{ port: 0, host: "localhost" }')),
    start(t, 'fastify-register.mjs', { env: { PORT: '0' } })
  ]) {
    const port = await fixture.port()
    await fixture.workersServing(2)
    for (const host of new Set(hosts)) t.equal((await get({ port, host })).status, 200, host)
  }
})

t.test('several addresses, one of them a Unix socket with its mode, survive a reload', async (t) => {
  const file = `/tmp/mp-many-${process.pid}.sock`
  const fixture = run(
    t,
    app(
      `[{ port: 0, host: '127.0.0.1' }, { port: 0, host: '127.0.0.1' }, { path: '${file}', writableAll: true, readableAll: true }]`
    )
  )
  const all = await addresses(fixture)
  t.equal(all.length, 3)
  t.not(all[0]?.port, all[1]?.port)
  const ask = async () => {
    for (const one of all) {
      const where = one.path ? { socketPath: one.path } : { port: one.port, host: '127.0.0.1' }
      t.equal((await get(where)).status, 200)
    }
  }
  await ask()
  t.equal(statSync(file).mode & 0o666, 0o666)
  t.equal(await reload(fixture), 'done')
  await ask()
  fixture.kill('SIGTERM')
  await fixture.exit()
  t.throws(() => statSync(file), { code: 'ENOENT' })
})

t.test('Fastify on a Unix socket says where it listens', async (t) => {
  const file = `/tmp/mp-fastify-${process.pid}.sock`
  const code = `import mapache from '@mapache/fastify'
import Fastify from 'fastify'
const app = Fastify({ logger: true })
app.register(mapache, { workers: 1 })
app.get('/', async () => 'ok')
console.log('said', await app.listen({ path: '${file}' }))`
  const fixture = run(t, code)
  await fixture.printed(new RegExp(`said ${file}`))
  t.equal((await get({ socketPath: file })).body, 'ok')
})

t.test('an entry under mapache start keeps what only its workers knew, on a reload too', async (t) => {
  const code = `import http from 'node:http'
http.createServer((req, res) => res.end('app')).listen(0, '127.0.0.1', function () { console.log('port', this.address().port) })
http.createServer((req, res) => res.end('admin')).listen(0, '127.0.0.1')`
  const fixture = startCli(t, ['-w', '2', '--settle', '50', put(path.join(t.testdir(), 'app.mjs'), code)])
  await fixture.workersServing(2)
  const [, port] = await fixture.printed(/port (\d+)/)
  t.equal((await get(Number(port))).body, 'app')
  t.equal(await reload(fixture), 'done')
  const ports = [...fixture.output.matchAll(/port (\d+)/g)].map(([, one]) => one)
  t.strictSame(new Set(ports), new Set([port]))
  t.equal((await get(Number(port))).body, 'app')
})

t.test('HTTPS: a TLS session resumes on other workers and after a reload', async (t) => {
  const { key, cert } = certificate
  const folder = t.testdir()
  writeFileSync(path.join(folder, 'key.pem'), key)
  writeFileSync(path.join(folder, 'cert.pem'), cert)
  const code = `import https from 'node:https'
import fs from 'node:fs'
import { mapacheHttp } from '@mapache/core'
const pem = (name) => fs.readFileSync(new URL(name, import.meta.url))
await mapacheHttp(() => (req, res) => res.end(String(process.pid)), { workers: 2, settle: 50,
  server: (listener) => https.createServer({ key: pem('key.pem'), cert: pem('cert.pem') }, listener) }).listen(0, '127.0.0.1')`
  const fixture = start(t, put(path.join(folder, 'app.mjs'), code))
  const port = await fixture.port()
  await fixture.workersServing(2)
  const visit = async (session?: Buffer) => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
      ...(session ? { session } : {})
    })
    const fresh = session ? Promise.resolve([session]) : once(socket, 'session')
    await once(socket, 'secureConnect')
    const reused = socket.isSessionReused()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let body = ''
    socket.setEncoding('latin1').on('data', (text) => {
      body += text
    })
    await before(once(socket, 'close'), () => 'the end of an answer')
    return {
      session: (await fresh)[0] as Buffer,
      reused,
      pid: Number(/(\d+)$/.exec(body)?.[1])
    }
  }
  const { session } = await visit()
  const pids = new Set<number>()
  for (let i = 0; i < 200 && pids.size < 2; i += 1) {
    for (const one of await Promise.all([visit(session), visit(session), visit(session), visit(session)])) {
      t.ok(one.reused)
      pids.add(one.pid)
    }
  }
  t.equal(pids.size, 2)
  t.equal(await reload(fixture), 'done')
  const after = await visit(session)
  t.ok(after.reused)
  t.notOk(pids.has(after.pid))
})

t.test('HTTP/2 over TLS, with HTTP/1.1 beside it', async (t) => {
  const { key, cert } = certificate
  const code = `import http2 from 'node:http2'
import { mapacheFastify } from '@mapache/fastify'
import Fastify from 'fastify'
await mapacheFastify(() => {
  const app = Fastify({ http2: true, https: { allowHTTP1: true, key: ${JSON.stringify(key)}, cert: ${JSON.stringify(cert)} } })
  app.get('/', async (req) => req.raw.httpVersion)
  return app
}, { workers: 2, settle: 50 }).listen({ port: 0, host: '127.0.0.1' })`
  const fixture = run(t, code)
  const port = await fixture.port()
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  const stream = session.request({ ':path': '/' }).setEncoding('utf8')
  t.equal((await once(stream, 'data'))[0], '2.0')
  session.close()
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 200/)
  socket.destroy()
  t.equal(await reload(fixture), 'done')
})

t.test('code that listens elsewhere after a reload is served there, and the old address is closed', async (t) => {
  const file = path.join(t.testdir(), 'app.mjs')
  const sockets = [1, 2].map((n) => `/tmp/mp-move-${process.pid}-${n}.sock`) as [string, string]
  const code = (at: string) => `import http from 'node:http'
http.createServer((req, res) => res.end('${at}')).listen('${at}')`
  const fixture = startCli(t, ['-w', '2', '--settle', '50', put(file, code(sockets[0]))])
  await fixture.workersServing(2)
  put(file, code(sockets[1]))
  t.equal(await reload(fixture), 'done')
  t.equal((await get({ socketPath: sockets[1] })).body, sockets[1])
  await fixture.printed(/no longer listening on \/tmp\/mp-move-\d+-1\.sock; serving on \/tmp\/mp-move-\d+-2\.sock/)
  await t.rejects(get({ socketPath: sockets[0] }), { code: 'ENOENT' })
})

t.test('an address in use is told under mapache start too, and ends the start', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const code = `require('http').createServer().listen(${port}, '127.0.0.1')`
  const fixture = startCli(t, ['-w', '1', put(path.join(t.testdir(), 'app.cjs'), code)])
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  t.match(fixture.output, /MAPACHE_ADDRESS_IN_USE: 127\.0\.0\.1:\d+ is in use by another process/)
})
