import path from 'node:path'
import t, { type Test } from 'tap'
import { put } from '../support/deploy.js'
import { get, until } from '../support/fixture.js'
import { askVersion, OldFirstApp, type OldFirstOptions, Versions, type Way } from '../support/old-first.js'
import { RawClient } from '../support/raw.js'

const WAYS: Way[] = process.platform === 'linux' ? ['spawned', 'fork', 'standby'] : ['spawned', 'standby']

const FALLBACK = `export default (failure) => (_req, res) => {
  const { generation, phase, error, cwd, entry } = failure
  res.writeHead(503, { 'content-type': 'application/json', retries: String(new URL(import.meta.url).searchParams.get('retries')) })
  res.end(JSON.stringify({ generation, phase, message: error.message, stack: error.stack, cwd, entry, pid: process.pid }))
}`

function fallbackApp(t: Test, options: OldFirstOptions = {}): OldFirstApp {
  const files = { 'fallback.mjs': FALLBACK, ...options.files }
  return new OldFirstApp(t, { brings: { fallback: './fallback.mjs' }, ...options, files })
}

/** Waits until nothing but the fallback runs, and serves. */
async function alone(app: OldFirstApp): Promise<void> {
  await until(async () => {
    const { processes, serving } = await app.status()
    return processes.filter(({ role }) => role === 'worker').length === 1 && serving === 1
  }, 'the fallback alone')
}

async function said(port: number) {
  const { status, body, headers } = await get(port)
  return { status, headers, ...(JSON.parse(body) as { pid: number }) }
}

for (const way of WAYS) {
  t.test(`${way}: code that does not boot has the fallback in its place, until the next reload`, async (t) => {
    const app = fallbackApp(t, { way })
    const port = await app.up()
    app.deploy(2, "throw new Error('no database')")
    await t.rejects(app.oldFirst(), { code: 'MAPACHE_BOOT_FAILED', cause: { message: 'no database' } })
    t.match(await said(port), { status: 503, generation: 2, phase: 'boot', message: 'no database' })
    t.match((await app.event('app:failed')).data, { generation: 2, phase: 'boot', error: { message: 'no database' } })
    await alone(app)
    app.deploy(3, 'const = 1')
    await t.rejects(app.oldFirst(), { code: 'MAPACHE_BOOT_FAILED' })
    t.match(await said(port), { status: 503, generation: 3, message: /Missing initializer|Unexpected token/ })
    app.deploy(4)
    t.match(await app.oldFirst(), { generation: 4 })
    t.match(await askVersion(port), { version: 4 })
    const versions = new Versions(t, app, port)
    await versions.more(20)
    t.strictSame(await versions.stop(), [], 'and the fallback is gone')
    await app.workersServing(2)
  })
}

t.test('an app that crashes is not started again, and its fallback tells why', async (t) => {
  const app = fallbackApp(t)
  const port = await app.up()
  await get(port, '/throw').catch(() => {})
  const { data } = await app.event('app:failed')
  t.match(data, { generation: 1, phase: 'crash', error: { message: 'thrown by version 1' } })
  const answer = await said(port)
  t.match(answer, { status: 503, phase: 'crash', message: 'thrown by version 1', stack: /app\.mjs:\d+/, cwd: app.app })
  t.match(answer, { entry: /app\.mjs$/ })
  await alone(app)
  t.notOk(/^Error: thrown by version 1$/m.test(app.output), 'who brings a fallback prints it, and not the app')
  const events = await app.events()
  t.equal(events.filter(({ name }) => name === 'worker:launch').length, 3)
  app.deploy(2)
  t.match(await app.oldFirst(), { generation: 2 })
  t.match(await askVersion(port), { version: 2 })
})

t.test('an exit is a crash as well, and so is the end by a signal', async (t) => {
  const app = fallbackApp(t, { settings: { workers: 1 } })
  const port = await app.up(1)
  await t.rejects(get(port, '/exit'))
  t.match(await said(port), { status: 503, phase: 'crash', message: 'it exited with code 7' })
  await app.oldFirst()
  const { pid } = await askVersion(port)
  process.kill(pid, 'SIGKILL')
  await app.event('app:failed', 2)
  t.match(await said(port), { status: 503, phase: 'crash', message: 'it was ended by SIGKILL' })
})

t.test('a fallback that ends is launched again', async (t) => {
  const app = fallbackApp(t, { settings: { workers: 1, backoff: { min: 20, max: 100 } } })
  const port = await app.up(1)
  await t.rejects(get(port, '/exit'))
  const { pid } = await said(port)
  process.kill(pid, 'SIGKILL')
  await until(() => app.output.includes('(crash, SIGKILL)'), 'its end')
  const other = await said(port)
  t.match(other, { status: 503, message: 'it exited with code 7' })
  t.not(other.pid, pid)
  t.equal((await app.events()).filter(({ name }) => name === 'app:failed').length, 1)
})

t.test('an app that fails at the start is not given up: the next reload may mend it', async (t) => {
  const app = fallbackApp(t, {
    settings: { workers: 1 }
  })
  app.deploy(1, "throw new Error('no database')")
  await app.event('start')
  await app.event('app:failed')
  t.match((await app.status()).processes, [])
  app.deploy(2)
  t.match(await app.oldFirst(), { generation: 2 })
  t.match(await askVersion(await app.port()), { version: 2 })
})

t.test('it serves while an ordinary reload is tried, and after one that fails', async (t) => {
  const app = fallbackApp(t)
  const port = await app.up()
  await t.rejects(get(port, '/exit'))
  await alone(app)
  app.deploy(2, "throw new Error('still none')")
  await t.rejects(app.call('reload'), { code: 'MAPACHE_BOOT_FAILED' })
  t.match(await said(port), { status: 503, generation: 1, message: 'it exited with code 7' })
  app.deploy(3)
  t.match(await app.call('reload'), { generation: 3 })
  t.match(await askVersion(port), { version: 3 })
})

t.test('what is sent to a fallback that leaves is answered by the app', async (t) => {
  const app = fallbackApp(t, { settings: { workers: 1, stopIdleGrace: 20_000 } })
  const port = await app.up(1)
  await t.rejects(get(port, '/exit'))
  const client = await RawClient.open(port)
  t.teardown(() => client.close())
  client.ask()
  t.match(await client.answer(), { status: 503, close: false })
  app.deploy(2)
  await app.oldFirst()
  client.ask('/version')
  t.match(JSON.parse((await client.answer()).body), { version: 2 })
})

t.test('what a module loads in each worker is there before the app, and never in a fallback', async (t) => {
  const app = new OldFirstApp(t, {
    settings: { workers: 1 },
    files: { 'fallback.mjs': FALLBACK, 'first.mjs': "console.log('first of', process.pid); globalThis.first = true" },
    brings: { fallback: './fallback.mjs', worker: './first.mjs' }
  })
  const port = await app.up(1)
  app.deploy(2, "console.log('then', globalThis.first, process.pid)")
  await app.oldFirst()
  const { pid } = await askVersion(port)
  await app.printed(new RegExp(`first of ${pid}\\n[\\s\\S]*then true ${pid}`))
  await t.rejects(get(port, '/exit'))
  const other = await said(port)
  t.notOk(app.output.includes(`first of ${other.pid}`))
})

t.test('a stop leaves nothing of a fallback', async (t) => {
  const app = fallbackApp(t, { settings: { workers: 1 } })
  const port = await app.up(1)
  await t.rejects(get(port, '/exit'))
  await said(port)
  app.kill('SIGTERM')
  t.strictSame(await app.exit(), { code: 0, signal: null })
  await app.gone()
  t.strictSame(app.leftovers(), [])
})

for (const way of WAYS.slice(1)) {
  t.test(`${way}: a worker has the environment of its own generation, whenever its base was made`, async (t) => {
    const envFile = path.join(t.testdir(), 'env')
    put(envFile, 'FLAVOUR=sweet\nREMOVED=not yet\n')
    const app = new OldFirstApp(t, { way, settings: { workers: 1, envFile } })
    const port = await app.up(1)
    await app.oldFirst()
    t.match(await askVersion(port), { flavour: 'sweet', removed: 'not yet', heavy: Number })
    put(envFile, 'FLAVOUR=sour\n')
    await app.oldFirst()
    const { flavour, removed, heavy } = await askVersion(port)
    t.strictSame([flavour, removed], ['sour', undefined])
    t.type(heavy, 'number')
  })

  t.test(`${way}: a base that cannot be made says why, and changes nothing`, async (t) => {
    const files = { 'bad.mjs': "throw new Error('no such driver')", 'socket.cjs': SOCKET }
    const app = new OldFirstApp(t, { way, files })
    const port = await app.up()
    const bad = new URL(`file://${app.app}/bad.mjs`).href
    await t.rejects(app.prime(bad), { code: 'MAPACHE_MOLD_UNCLEAN', open: [{ what: /no such driver/, by: bad }] })
    if (way === 'fork') {
      const socket = app.prime(path.join(app.app, 'socket.cjs'))
      await t.rejects(socket, { code: 'MAPACHE_MOLD_UNCLEAN', open: [{ what: /socket/, by: /socket.cjs/ }] })
    }
    app.deploy(2)
    t.match(await app.oldFirst(), { generation: 2 })
    t.match(await askVersion(port), { version: 2, heavy: Number }, 'workers come from the base before')
  })

  t.test(`${way}: another base takes the place of the one in use`, async (t) => {
    const files = { 'other.mjs': 'globalThis.heavy = -process.pid' }
    const app = new OldFirstApp(t, { way, files, settings: { workers: 1 } })
    const port = await app.up(1)
    t.match(await app.prime(new URL(`file://${app.app}/other.mjs`).href), { how: way })
    await app.oldFirst()
    t.ok(Number((await askVersion(port)).heavy) < 0)
    await until(
      // With what is forked from it ahead of time.
      async () =>
        (await app.status()).processes.filter(({ role }) => role === 'mold').length === (way === 'fork' ? 2 : 1),
      'one base'
    )
  })

  t.test(`${way}: a base that is killed is made anew`, async (t) => {
    const app = new OldFirstApp(t, { way, settings: { workers: 1, backoff: { min: 20, max: 100 } } })
    const port = await app.up(1)
    const base = async () =>
      (await app.status()).processes.find(({ role, state }) => role === 'mold' && state === 'ready')?.pid
    const first = await base()
    process.kill(first as number, 'SIGKILL')
    await until(async () => ![undefined, first].includes(await base()), 'another base')
    await app.oldFirst()
    t.type((await askVersion(port)).heavy, 'number')
  })

  t.test(`${way}: a stop leaves nothing of it`, async (t) => {
    const app = new OldFirstApp(t, { way })
    await app.up()
    await app.oldFirst()
    app.kill('SIGTERM')
    t.strictSame(await app.exit(), { code: 0, signal: null })
    await app.gone()
    t.strictSame(app.leftovers(), [])
  })
}

const SOCKET = "require('node:net').connect(process.env.CONTROL).on('error', () => {})"
