import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect, findClusters } from '@mapache/core/operator'
import t from 'tap'
import { put } from '../support/deploy.js'
import { before, start, type Test, until } from '../support/fixture.js'
import { findOne } from '../support/operated.js'

const ENTRY = `import http from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
import { mapacheHttp } from '@mapache/core'
const broken = new URL('./broken', import.meta.url)
if (existsSync(broken)) throw new Error(readFileSync(broken, 'utf8'))
await mapacheHttp(() => (req, res) => res.end('ok'), {
  workers: 2, settle: 50, bootAttempts: 2, backoff: { min: 60_000, max: 60_000 }
}).listen(0, '127.0.0.1')`

async function operated(t: Test & { testdir(): string }) {
  const folder = t.testdir()
  const fixture = start(t, put(path.join(folder, 'app.mjs'), ENTRY), { cwd: folder })
  await fixture.workersServing(2)
  const found = await findOne(fixture)
  const cluster = await connect(found)
  t.teardown(() => cluster.close())
  return { fixture, folder, found, cluster }
}

t.test('a cluster is found, looked at, and operated', async (t) => {
  const { fixture, found, cluster } = await operated(t)
  t.match(found, { name: path.basename(t.testdirName), pid: fixture.pid })
  t.match(cluster, { role: 'operator', generation: 1, workers: [{ id: 1 }, { id: 2 }] })
  const status = await cluster.status()
  t.match(status, { pid: fixture.pid, target: 2, serving: 2, waiting: 0, stopping: false, version: /^\d+\.\d+\.\d+/ })
  t.ok(Math.abs(Date.now() - status.startedAt) < 120_000, 'when it started')

  const told: string[] = []
  cluster.on('worker:serving', ({ id, generation }) => told.push(`worker ${id} gen ${generation} serving`))
  cluster.on('reload:done', ({ generation }) => told.push(`gen ${generation} done`))
  t.match(await cluster.reload(), { generation: 2, duration: Number })
  await until(
    () => told.length === 3,
    'the events of the reload',
    () => told.join('\n')
  )
  t.same([...told].sort(), ['gen 2 done', 'worker 3 gen 2 serving', 'worker 4 gen 2 serving'])

  await cluster.scale(3)
  await until(async () => (await cluster.status()).serving === 3, 'three workers')
  await t.rejects(cluster.scale(0), { code: 'MAPACHE_OPTION_INVALID' })
  await t.rejects(cluster.refork(), { code: 'MAPACHE_REFORK_UNSUPPORTED' })
  await t.rejects(cluster.rollback(), { code: 'MAPACHE_ROLLBACK_UNAVAILABLE' })
  await t.rejects(cluster.prime([]), { code: 'MAPACHE_CONTROL_DENIED' })

  const lines = await cluster.tail(5)
  t.equal(lines.length, 5)
  t.ok((await cluster.tail(Number.POSITIVE_INFINITY)).length > 5)
  const last = (await cluster.tail(1))[0]
  t.match(last, { level: 'info', message: /./, time: Number })
  t.ok(
    (await cluster.tail()).some(({ message }) => message === 'an operator asks for: scale 3'),
    'who asked is logged'
  )

  await cluster.stop()
  t.same(await fixture.exit(), { code: 0, signal: null })
  await cluster.closed
  await t.rejects(cluster.status(), { code: 'MAPACHE_CHANNEL_CLOSED' })
  t.notOk((await findClusters({ XDG_RUNTIME_DIR: fixture.folder })).some(({ pid }) => pid === fixture.pid))
})

t.test("a reload that fails rejects with the app's own error", async (t) => {
  const { folder, cluster } = await operated(t)
  writeFileSync(path.join(folder, 'broken'), 'no database at all')
  const error = await cluster.reload().catch((error) => error)
  t.match(error, {
    code: 'MAPACHE_BOOT_FAILED',
    phase: 'boot',
    cause: { message: 'no database at all', stack: /app\.mjs:5/ }
  })
  const seen = new Promise((resolve) => cluster.on('reload:failed', resolve))
  await t.rejects(cluster.reload())
  t.match(await before(seen, () => 'reload:failed'), { generation: 3, error: { code: 'MAPACHE_BOOT_FAILED' } })
  t.match(await cluster.status(), { generation: 1, serving: 2 })
})

t.test('one worker is recycled, replacement first', async (t) => {
  const { fixture, folder, cluster } = await operated(t)
  const [first] = cluster.workers
  const id = first?.id as number
  await cluster.recycle(id)
  const { processes } = await cluster.status()
  const serving = processes.filter(({ state }) => state === 'serving')
  t.same(
    serving.map(({ id }) => id),
    [2, 3]
  )
  t.equal(serving[1]?.place, first?.place, 'in its place')
  await until(() => fixture.log.some(({ msg }) => /worker=1 .* exited \(recycle/.test(msg)), 'its end')
  await t.rejects(cluster.recycle(id), { code: 'MAPACHE_PROCESS_UNKNOWN' })
  await t.rejects(cluster.recycle(-1), { code: 'MAPACHE_PROCESS_UNKNOWN' })
  await t.rejects(cluster.recycle(Number.NaN), { code: 'MAPACHE_PROCESS_UNKNOWN' })

  // The second attempt would come after a minute: revive() does not wait for it.
  writeFileSync(path.join(folder, 'broken'), 'gone')
  const failed = cluster.recycle(2).catch((error) => error)
  await until(async () => (await cluster.status()).waiting === 1, 'a place that waits')
  t.equal(await cluster.revive(), 1)
  t.match(await failed, { code: 'MAPACHE_BOOT_FAILED', message: /worker 2 serves on/, cause: { message: 'gone' } })
  t.match(await cluster.status(), { serving: 2 })
})

t.test('what waits after a crash is revived', async (t) => {
  const { fixture, cluster } = await operated(t)
  // The first crash is replaced at once; a place that crashes again waits.
  process.kill(fixture.workers[0] as number, 'SIGKILL')
  await fixture.printed(/worker=3 .* serving/)
  process.kill(fixture.workers.at(-1) as number, 'SIGKILL')
  await until(async () => (await cluster.status()).waiting === 1, 'a dead worker')
  t.match(await cluster.status(), { target: 2, serving: 1 })
  t.equal(await cluster.revive(), 1)
  await until(async () => (await cluster.status()).serving === 2, 'its successor')
  t.equal(await cluster.revive(), 0)
})

t.test('many who recycle one worker wait for one replacement', async (t) => {
  const { fixture, cluster } = await operated(t)
  await Promise.all(Array.from({ length: 30 }, () => cluster.recycle(1)))
  const { processes } = await cluster.status()
  t.same(
    processes.filter(({ state }) => state === 'serving').map(({ id }) => id),
    [2, 3]
  )
  t.notMatch(fixture.output, /MaxListeners/)
})

t.test('a folder that others may enter is no cluster of ours', async (t) => {
  const { fixture, found } = await operated(t)
  chmodSync(found.folder, 0o755)
  t.same(
    (await findClusters({ XDG_RUNTIME_DIR: fixture.folder })).filter(({ pid }) => pid === fixture.pid),
    []
  )
  chmodSync(found.folder, 0o700)
  t.match(await findOne(fixture), found)
})

t.test('a listener of the log that fails each time harms nobody', async (t) => {
  const folder = t.testdir()
  const failing = `modules: [{ name: 'm', on: { log: async () => { throw new Error('no collector') } } }], workers: 2,`
  const entry = put(path.join(folder, 'app.mjs'), ENTRY.replace('workers: 2,', failing))
  const fixture = start(t, entry, { cwd: folder })
  await fixture.workersServing(2)
  const cluster = await connect(await findOne(fixture))
  t.teardown(() => cluster.close())
  t.match(await cluster.reload(), { generation: 2 })
  const failures = fixture.log.filter(({ msg }) => msg === 'a listener for log of module m failed').length
  t.ok(failures > 0 && failures <= fixture.log.length / 2, `${failures} of ${fixture.log.length} lines`)
})

t.test('memory is told of workers', { skip: process.platform !== 'linux' && 'only Linux tells' }, async (t) => {
  const { cluster } = await operated(t)
  await until(async () => (await cluster.status()).processes.every(({ memory }) => memory), 'memory')
  for (const { memory, vitals } of cluster.workers) {
    const { pss, own } = memory ?? { pss: 0, own: 0 }
    t.ok(own > 5e6 && pss >= own && pss <= (vitals?.rss ?? 0) * 1.5, `pss ${pss}, own ${own}, rss ${vitals?.rss}`)
  }
})

t.test('an operator learns that the supervisor died', async (t) => {
  const { fixture, found, cluster } = await operated(t)
  cluster.on('log', () => {})
  fixture.kill('SIGKILL')
  await before(cluster.closed, () => 'the end of the connection')
  await t.rejects(cluster.reload(), { code: 'MAPACHE_CHANNEL_CLOSED' })
  await t.rejects(connect(found), { code: 'MAPACHE_CHANNEL_CLOSED' })
  await fixture.gone()
})

t.test('another version is refused, by its name', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(path.join(folder, 'c'))
  const server = net.createServer((socket) => {
    socket.end(`${JSON.stringify({ type: 'refused', reason: 'protocol version 1, this supervisor speaks 9' })}\n`)
  })
  await new Promise<void>((resolve) => server.listen(path.join(folder, 'c', 'channel.sock'), resolve))
  t.teardown(() => server.close())
  await t.rejects(connect({ folder: path.join(folder, 'c') }), { code: 'MAPACHE_CHANNEL_VERSION' })
})

t.test('hundreds of operators that come and go, and one that does not read, disturb nobody', async (t) => {
  const { fixture, found, cluster } = await operated(t)
  const silent = net.connect(path.join(found.folder, 'channel.sock')).pause()
  silent.on('error', () => {})
  t.teardown(() => silent.destroy())
  silent.write('{"type":"hello","version":1,"token":"operator"}\n{"type":"call","request":1,"method":"events"}\n')
  for (let round = 0; round < 10; round += 1) {
    const many = await Promise.all(Array.from({ length: 20 }, () => connect(found)))
    for (const one of many) one.on('log', () => {})
    await Promise.all(many.map((one) => one.status()))
    for (const one of many) one.close()
  }
  t.match(await cluster.reload(), { generation: 2 })
  t.equal(fixture.workers.length, 2)
})
