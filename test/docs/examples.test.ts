// Every example starts, answers, answers from new code after a SIGHUP, and stops with nothing left behind.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { type Fixture, type FixtureOptions, get, ROOT, start, startCli, until } from '../support/fixture.js'
import { certificate } from '../support/loss/index.js'
import { ShellClient } from '../support/shell.js'
import { list, read } from './markdown.js'
import { ask, reload, STOPPED, stop } from './server.js'

const names = list('examples').map((folder) => path.basename(folder))
const special = [
  'forking',
  'https-http2',
  'metrics',
  'migration',
  'module',
  'release-folders',
  'shell',
  'websocket-sse'
]

for (const name of names.filter((name) => !special.includes(name))) {
  t.test(name, async (t) => {
    const fixture = startExample(t, name)
    await servesAndReloads(t, fixture)
    if (name === 'hello-fastify') {
      t.match(fixture.output, `kill -HUP ${fixture.pid}`, 'says how to reload it')
      t.match(fixture.output, `runs in two workers on http://127.0.0.1:${await fixture.port()}`)
      t.match(fixture.output, path.join(ROOT, 'examples/hello-fastify/server.mjs'))
    }
    t.strictSame(await stop(fixture), STOPPED)
  })
}

t.test('forking', async (t) => {
  const fixture = startExample(t, 'forking')
  const port = await fixture.port()
  const forked = process.platform === 'linux'
  await fixture.printed(forked ? /forked from a mold/ : /spawned: the log above may say why/)
  t.match(await ask(port), { status: 200, text: '"generation":1' })
  await reload(fixture)
  t.match(await ask(port), { status: 200, text: '"generation":2' })
  if (forked) {
    fixture.kill('SIGURG')
    await fixture.printed(/reforked: gen=3 serves/)
    t.match(await ask(port), { status: 200, text: '"generation":3' })
  }
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('https-http2', async (t) => {
  const folder = t.testdir({ 'cert.pem': certificate.cert, 'key.pem': certificate.key })
  const fixture = startExample(t, 'https-http2', {
    env: { CERT: path.join(folder, 'cert.pem'), KEY: path.join(folder, 'key.pem') }
  })
  await servesAndReloads(t, fixture, true)
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('metrics', async (t) => {
  const page = path.join(mkdtempSync(path.join(tmpdir(), 'mp-')), 'metrics.sock')
  t.teardown(() => rmSync(path.dirname(page), { recursive: true }))
  const fixture = startExample(t, 'metrics', { env: { METRICS: page } })
  await servesAndReloads(t, fixture)
  const greeted = async () => /^greetings_total 2$/m.test((await get({ socketPath: page }, '/metrics')).body)
  await until(greeted, 'the greetings of both generations')
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('migration', async (t) => {
  const database = path.join(t.testdir(), 'shop.db')
  const fixture = startExample(t, 'migration', { env: { DATABASE: database, NAME: `migration-${process.pid}-docs` } })
  await servesAndReloads(t, fixture)
  t.match(await ask(await fixture.port()), { text: '[{"id":1,"name":"tea"},{"id":2,"name":"coffee"}]' })
  t.equal(fixture.output.split('migrating: 1-products.sql').length, 2, 'in the first generation alone')
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('module', async (t) => {
  const fixture = startExample(t, 'module')
  await servesAndReloads(t, fixture)
  await fixture.printed(/request-counter: generation 1: 1, generation 2: 1; 0 workers failed/)
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('release-folders', async (t) => {
  const source = path.join(ROOT, 'examples/release-folders')
  const folder = t.testdir()
  cpSync(source, folder, {
    recursive: true,
    filter: (file) => !['node_modules', 'current', 'next'].includes(path.basename(file))
  })
  symlinkSync(path.join(source, 'node_modules'), path.join(folder, 'node_modules'))
  const switchTo = (release: string) =>
    spawnSync(process.execPath, ['switch.mjs', release], { cwd: folder, timeout: 10_000 })

  t.equal(switchTo('1').status, 0)
  const options = { cwd: folder, env: { PORT: '0', PWD: folder } }
  const fixture = startCli(t, ['--workers', '2', '--name', 'hello', 'current/server.mjs'], options)
  const port = await fixture.port()
  t.match(await ask(port), { status: 200, text: 'release 1' })
  t.equal(switchTo('2').status, 0)
  t.match(await ask(port), { status: 200, text: 'release 1' }, 'before the reload')
  await reload(fixture)
  t.match(await ask(port), { status: 200, text: 'release 2' })
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('shell', async (t) => {
  const state = t.testdir()
  const fixture = startExample(t, 'shell', { env: { SHELL_PORT: '0', XDG_STATE_HOME: state } })
  await servesAndReloads(t, fixture)
  const [, port = ''] = await fixture.printed(/shell serves on 127\.0\.0\.1:(\d+)/)
  const client = new ShellClient(t, [port], state, { MAPACHE_SHELL_PASSWORD: 'mapache-example' })
  const { code, stdout } = await client.run('greet Ada Grace\nrestart\nyes\n')
  t.equal(stdout, 'Hello Ada and Grace.\nReplace 2 workers? yes or no\nGeneration 3 serves.\n')
  t.equal(code, 0)
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('websocket-sse', async (t) => {
  const fixture = startExample(t, 'websocket-sse')
  const port = await fixture.port()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`)
  const [greeting] = await once(socket, 'message')
  t.match(String(greeting), 'generation 1')
  const events = await fetch(`http://127.0.0.1:${port}/events`)
  const stream = events.text()

  const closed = once(socket, 'close')
  await servesAndReloads(t, fixture)
  t.equal((await closed)[0], 1012, 'the WebSocket is closed with "service restart"')
  t.match(await stream, 'generation 1', 'the stream of events comes to its end')

  const again = new WebSocket(`ws://127.0.0.1:${port}/socket`)
  t.match(String((await once(again, 'message'))[0]), 'generation 2')
  const { text } = await ask(port, '/events')
  t.match(text, 'generation 2')
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('npm start', async (t) => {
  const fixture = start(t, path.join(ROOT, 'scripts/start.mjs'), { cwd: ROOT, env: { PORT: '0' } })
  await servesAndReloads(t, fixture)
  t.strictSame(await stop(fixture), STOPPED)
})

t.test('each example says how it is started', async (t) => {
  for (const name of names) {
    t.match(read(`examples/${name}/README.md`), /^ {4}(node server\.mjs|npx mapache start .*)$/m, name)
  }
})

function startExample(t: Test, name: string, options: FixtureOptions = {}): Fixture {
  const folder = path.join(ROOT, 'examples', name)
  return start(t, path.join(folder, 'server.mjs'), { cwd: folder, ...options, env: { PORT: '0', ...options.env } })
}

async function servesAndReloads(t: Test, fixture: Fixture, tls = false): Promise<void> {
  const port = await fixture.port()
  t.match(await ask(port, '/', tls), { status: 200, text: 'generation 1' })
  await reload(fixture)
  t.match(await ask(port, '/', tls), { status: 200, text: 'generation 2' })
}
