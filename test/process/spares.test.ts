// Spares with real processes: who steps in, when, and what a reload does with them.

import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import type { ClusterStatus, ProcessInfo } from '@mapache/core'
import t from 'tap'
import { point, put, versionApp, Watch } from '../support/deploy.js'
import { type Fixture, get, startCli, type Test, until } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'
import { operate, statusWith } from '../support/operated.js'

t.jobs = 3

const CONFIG = `export default { workers: 2, spare: 1, settle: 100, backoff: { min: 60_000, max: 60_000 } }`

async function started(t: Test & { testdir(): string }, config = CONFIG) {
  const folder = realpathSync(t.testdir())
  const current = path.join(folder, 'current')
  const release = (version: number, text = versionApp(String(version))) => {
    point(current, path.dirname(put(path.join(folder, `releases/${version}/server.mjs`), text)))
  }
  release(1)
  const args = ['--config', put(path.join(folder, 'mapache.config.mjs'), config), path.join(current, 'server.mjs')]
  const fixture = startCli(t, args, { cwd: folder })
  return { fixture, release, port: await fixture.port(), ...(await operated(t, fixture)) }
}

async function operated(t: Test, fixture: Fixture) {
  const cluster = await operate(t, fixture)
  const settled = await statusWith(cluster, complete)
  return { cluster, spare: spareOf(settled), serving: servingOf(settled) }
}

function complete({ serving, target, spare, roll }: ClusterStatus): boolean {
  return serving === target && spare.ready === spare.target && roll === undefined
}

const spareOf = ({ processes }: ClusterStatus) =>
  processes.find(({ role, state }) => role === 'worker' && state === 'ready') as ProcessInfo
const servingOf = ({ processes }: ClusterStatus) => processes.filter(({ state }) => state === 'serving')

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const idsOf = (status: ClusterStatus) => servingOf(status).map(({ id }) => id)

t.test('a spare steps in for a worker that crashed, and another boots behind it', async (t) => {
  const { cluster, spare, serving, fixture, port } = await started(t)
  const [first] = serving as [ProcessInfo]
  const watch = new Watch(t, port, '1')
  const next = new Promise<ProcessInfo>((resolve) => cluster.once('worker:serving', resolve))
  await cluster.status()
  process.kill(first.pid as number, 'SIGKILL')
  t.equal((await next).pid, spare.pid, 'the one that was held back')
  const after = await statusWith(cluster, complete)
  t.not(spareOf(after).pid, spare.pid)
  t.equal(after.waiting, 0, 'the first failure of a place is replaced at once')

  // From the second on the place waits for a minute here, and the app has both its workers all the same.
  process.kill(serving[1]?.pid as number, 'SIGKILL')
  const third = await statusWith(cluster, (status) => complete(status) && spareOf(status).id > spareOf(after).id)
  process.kill(servingOf(third)[0]?.pid as number, 'SIGKILL')
  await statusWith(cluster, ({ serving }) => serving === 2)
  await watch.more(20)
  // What a killed worker held is lost with it.
  t.ok((await watch.stop()).length <= 3)
  fixture.kill('SIGTERM')
  t.match(await fixture.exit(), { code: 0 })
})

t.test('a recycle and a scale-up take the spare', async (t) => {
  const { cluster, spare, serving, port } = await started(t)
  const watch = new Watch(t, port, '1')
  const order: string[] = []
  cluster.on('worker:serving', ({ id }) => order.push(`${id} serves`))
  cluster.on('worker:retire', ({ id }) => order.push(`${id} retires`))
  await cluster.recycle(serving[0]?.id as number)
  const second = await statusWith(cluster, complete)
  t.strictSame(order, [`${spare.id} serves`, `${serving[0]?.id} retires`])
  order.length = 0
  await cluster.scale(3)
  const third = await statusWith(cluster, complete)
  t.strictSame(order, [`${spareOf(second).id} serves`])
  t.equal(servingOf(third).length, 3)
  await cluster.scale(1)
  const last = await statusWith(cluster, (status) => complete(status) && status.processes.length === 2)
  t.equal(spareOf(last).id, spareOf(third).id, 'the spare stays')
  t.strictSame(await watch.stop(), [])
})

t.test('a reload renews the spares first, and loses nothing', async (t) => {
  const { cluster, spare, serving, port, release } = await started(t)
  const watch = new Watch(t, port, '1', '2')
  const order: string[] = []
  cluster.on('worker:ready', ({ id, generation }) => order.push(`${id} of ${generation} is ready`))
  cluster.on('worker:retire', ({ id }) => order.push(`${id} retires`))
  cluster.on('reload:settled', () => order.push('settled'))
  release(2)
  await cluster.reload()
  const after = await statusWith(cluster, (status) => complete(status) && status.processes.length === 3)
  t.equal(order[0], '4 of 2 is ready', 'beside the old spare, until new code has booted')
  t.equal(
    order.find((what) => / retires$/.test(what)),
    `${spare.id} retires`
  )
  t.equal(order.filter((what) => / retires$/.test(what)).length, serving.length + 1)
  t.ok(after.processes.every(({ generation }) => generation === 2))
  t.strictSame(await watch.stop(), [])
})

t.test('new code that fails leaves the old ones with their spares', async (t) => {
  const { cluster, serving, spare, port, release } = await started(t, CONFIG.replace('settle: 100', 'settle: 10_000'))
  const ids = serving.map(({ id }) => id)
  release(2, `throw new Error('not today')`)
  await t.rejects(cluster.reload(), { code: 'MAPACHE_BOOT_FAILED' })
  const before = await statusWith(cluster, complete)
  t.strictSame(idsOf(before), ids)
  t.equal(spareOf(before).id, spare.id, 'not renewed before new code has booted')

  release(3, `import http from 'node:http'\nhttp.createServer(() => process.exit(7)).listen(0, '127.0.0.1')`)
  const watch = new Watch(t, port, '1')
  await t.rejects(cluster.reload(), { code: 'MAPACHE_SETTLE_FAILED' })
  const after = await statusWith(cluster, complete)
  t.strictSame(idsOf(after), ids)
  t.equal(spareOf(after).generation, 1)
  t.ok((await watch.stop()).length <= 1, 'what the new code broke')
})
t.test('an address that new code has left is closed by the spares, too', async (t) => {
  const { cluster, release, port } = await started(t)
  const listensOn = (to: number) =>
    `import http from 'node:http'\nhttp.createServer((req, res) => res.end('${to}')).listen(${to}, '127.0.0.1')`
  const other = await freePort()
  release(2, listensOn(other))
  await cluster.reload()
  await statusWith(cluster, complete)
  t.equal((await get(other)).body, String(other))
  const refused = () =>
    get(port).then(
      () => false,
      ({ code }) => code === 'ECONNREFUSED'
    )
  await until(refused, 'the end of the old address')
  release(3, listensOn(port))
  await cluster.reload()
  t.equal((await get(port)).body, String(port), 'it can be had again')
})

t.test('nothing is left of a spare when the supervisor is killed', async (t) => {
  const { fixture } = await started(t)
  fixture.kill('SIGKILL')
  await fixture.gone()
  t.strictSame(fixture.leftovers(), [])
})

t.test('where workers are forked there is one, else none, unless it is said', async (t) => {
  const { cluster } = await started(t, 'export default { workers: 1 }')
  t.strictSame((await cluster.status()).spare, { target: 0, ready: 0 })
  if (process.platform !== 'linux') return
  const app = new ForkingApp(t)
  await app.port()
  const forked = await operated(t, app)
  t.strictSame((await forked.cluster.status()).spare, { target: 1, ready: 1 })
  const order: number[] = []
  forked.cluster.on('worker:serving', ({ pid }) => order.push(pid as number))
  await forked.cluster.status()
  await app.crash()
  t.strictSame(order, [forked.spare.pid])
  const none = new ForkingApp(t, { settings: { spare: 0 } })
  await none.port()
  t.strictSame((await (await operated(t, none)).cluster.status()).spare, { target: 0, ready: 0 })
})
