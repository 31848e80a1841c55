import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect, findClusters } from '@mapache/core/operator'
import t from 'tap'
import { put } from '../support/deploy.js'
import { get, isRunning, start, until } from '../support/fixture.js'
import { ForkingApp, install, LOSS_LISTENER } from '../support/forking.js'
import { startLoad } from '../support/loss/index.js'
import { everyWorker } from '../support/serve.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

t.test('a warm worker becomes the mold of the next generation, and the others are forked from it', async (t) => {
  const app = new ForkingApp(t, { settings: { workers: 3 } })
  const first = await app.mold()
  const workers = await app.workersServing(3)
  await app.replaced(() => app.kill('SIGURG'))
  const mold = await app.mold(2)
  t.ok(workers.includes(mold), 'it was a worker')
  await app.printed(/reforked: gen=2 serves/)
  await until(() => !isRunning(first), 'the end of the mold before')
  const port = await app.port()
  for (const one of (await everyWorker(3, () => get(port))).values()) {
    t.match(one, { generation: 2, version: 1, loadedBy: first, forks: 2, ppid: app.pid })
  }
})

t.test('reforks go on from generation to generation, and crashes are replaced from the last', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  for (let generation = 2; generation <= 5; generation += 1) {
    await app.replaced(() => app.kill('SIGURG'))
    await app.printed(new RegExp(`reforked: gen=${generation} serves`))
  }
  await app.crash()
  t.match(await app.ask(), { generation: 5, version: 1 })
  app.deploy(2)
  await app.replaced(() => app.kill('SIGHUP'))
  t.match(await app.ask(), { generation: 6, version: 2 }, 'a reload brings new code as always')
  app.kill('SIGTERM')
  await app.gone()
  t.strictSame(app.leftovers(), [])
})

t.test('nothing is lost to reforks, whatever the habit', async (t) => {
  const app = new ForkingApp(t, { listener: LOSS_LISTENER, settings: { drainTimeout: 20_000 } })
  const port = await app.port()
  await app.workersServing(2)
  const load = startLoad({ port, host: '127.0.0.1', concurrency: 1, pace: 5 })
  for (let generation = 2; generation <= 4; generation += 1) {
    app.kill('SIGURG')
    await app.printed(new RegExp(`reforked: gen=${generation} serves`))
  }
  const report = await load.stop()
  t.equal(report.lost, 0, JSON.stringify(report.losses.slice(0, 5)))
})

t.test('it begins by itself when a worker has answered so many requests, once for each number', async (t) => {
  const app = new ForkingApp(t, { settings: { refork: { after: [20, 40] } } })
  const port = await app.port()
  await app.workersServing(2)
  const ask = async (pattern: RegExp) => {
    await until(async () => {
      await Promise.all(Array.from({ length: 10 }, () => get(port)))
      return pattern.test(app.output)
    }, String(pattern))
  }
  await ask(/reforked: gen=2 serves/)
  await ask(/reforked: gen=3 serves/)
  t.match(app.output, /has answered \d+ requests: reforking/)
  const from = app.output.length
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 10 }, () => get(port)))
  const requests = () => app.output.slice(from)
  t.notMatch(requests(), /reforking/)
})

t.test('a worker that is not clean after its close is not promoted: said once, and another is tried', async (t) => {
  const app = new ForkingApp(t, { load: KEEPS })
  // The first to serve is the first to be tried.
  const [first] = await app.workersServing(2)
  const port = await app.port()
  await everyWorker(2, () => get(port, `/keep?${first}`))
  app.kill('SIGURG')
  await app.printed(/cannot become a mold: MAPACHE_MOLD_UNCLEAN: it holds a socket/)
  await app.printed(/reforked: gen=2 serves/)
  await app.workersServing(2)
  t.match(await app.ask(), { version: 1 })
})

t.test('where none is clean the refork fails by name, and the workers serve on', async (t) => {
  const app = new ForkingApp(t, { load: KEEPS.replace("'/keep'", "'/'") })
  await app.workersServing(2)
  const port = await app.port()
  await everyWorker(2, () => get(port))
  app.kill('SIGURG')
  await app.printed(/reload failed \(promote\); gen=1 serves on: MAPACHE_REFORK_FAILED/)
  await app.workersServing(2)
  t.match(await app.ask(), { version: 1, generation: 1 })
})

t.test('where none is fit a fork of the mold is warmed up over a private socket, and becomes the mold', async (t) => {
  const load = `${KEEPS.replace("'/keep'", "'/'")}
export const warmup = async (url) => {
  console.log('warmed up by ' + process.pid + ' at ' + url)
  // What the app would keep of a real request is not what a warm-up is for.
  for (let i = 0; i < 10; i += 1) await (await fetch(url + '/warm')).text()
}`
  const app = new ForkingApp(t, { load })
  const first = await app.mold()
  await app.workersServing(2)
  const port = await app.port()
  await everyWorker(2, () => get(port))
  await app.replaced(() => app.kill('SIGURG'))
  await app.printed(/reforked: gen=2 serves/)
  const [, pid, address] = await app.printed(/warmed up by (\d+) at http:\/\/127\.0\.0\.1:(\d+)/)
  t.equal(await app.mold(2), Number(pid))
  t.not(Number(address), port, 'on a port of its own')
  await t.rejects(get(Number(address)), { code: 'ECONNREFUSED' }, 'which is closed')
  t.match(await app.ask('/x'), { version: 1, generation: 2, loadedBy: first, forks: 2 })
})

t.test('a warmup that fails fails the refork, and the workers serve on', async (t) => {
  const load = `${KEEPS.replace("'/keep'", "'/'")}
export const warmup = async () => { throw new Error('cold') }`
  const app = new ForkingApp(t, { load })
  await app.workersServing(2)
  const port = await app.port()
  await everyWorker(2, () => get(port))
  app.kill('SIGURG')
  await app.printed(/reload failed \(boot\); gen=1 serves on: .*cold/)
  await app.workersServing(2)
  t.match(await app.ask('/x'), { version: 1, generation: 1 })
})

t.test('spawned workers cannot be reforked', async (t) => {
  const app = new ForkingApp(t, { settings: { boot: 'spawn' } })
  const workers = await app.workersServing(2)
  app.kill('SIGURG')
  await app.printed(/MAPACHE_REFORK_UNSUPPORTED/)
  t.strictSame(app.workers, workers)
})

t.test('a worker that dies while it is promoted is replaced like any other', async (t) => {
  const app = new ForkingApp(t, { load: 'worker.onRetire(() => process.kill(process.pid, "SIGKILL"))' })
  await app.workersServing(2)
  app.kill('SIGURG')
  await app.printed(/reload failed \(promote\)/)
  await app.workersServing(2)
  t.match(await app.ask(), { version: 1, generation: 1 })
})

/** A path that keeps a socket open which the app does not close. */
const KEEPS = `import net from 'node:net'
const keep = () => { globalThis.kept ??= net.createServer().listen({ path: '\\0mapache-' + process.pid, exclusive: true }) }
globalThis.onRequest = (url) => (url === '/keep' || url === '/keep?' + process.pid) && keep()`

t.test("events go on arriving in an app's listeners after a refork, and not in the mold", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-app-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  install(folder)
  const entry = put(
    path.join(folder, 'main.mjs'),
    `import { mapacheHttp } from '@mapache/core'
    const cluster = await mapacheHttp(() => (req, res) => res.end('ok'), { workers: 2, settle: 50 }).listen(0, '127.0.0.1')
    if (cluster.role === 'worker') cluster.on('scale', ({ workers }) => console.log('pid', process.pid, 'hears', workers))`
  )
  const app = start(t, entry, { cwd: folder })
  await app.workersServing(2)
  const [found] = (await findClusters({ XDG_RUNTIME_DIR: app.folder })).filter(({ pid }) => pid === app.pid)
  const cluster = await connect(found as NonNullable<typeof found>)
  t.teardown(() => cluster.close())
  t.match(await cluster.refork(), { generation: 2 })
  await cluster.scale(3)
  const heard = () => [...app.output.matchAll(/pid (\d+) hears 3/g)].map(([, pid]) => Number(pid))
  await until(
    () => heard().length >= 2,
    'both workers to hear of it',
    () => app.output
  )
  const workers = app.workers.filter((pid) => heard().includes(pid))
  t.same(heard().sort(), workers.sort(), 'workers that serve, and nobody else')
})
