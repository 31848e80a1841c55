import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { get, isRunning, until } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'
import { everyWorker } from '../support/serve.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

/** A reload to version 2 that is done. */
async function reloaded(app: ForkingApp): Promise<void> {
  await app.workersServing(2)
  app.deploy(2)
  await app.replaced(() => app.kill('SIGHUP'))
}

const versions = async (app: ForkingApp) => {
  const port = await app.port()
  const said = [...(await everyWorker(2, () => get(port))).values()]
  return said.map(({ version, generation }) => `${version} of gen=${generation}`)
}

t.test('the mold before is kept idle for rollbackWindow, then it leaves', async (t) => {
  const app = new ForkingApp(t, { settings: { rollbackWindow: 1_500 } })
  const mold = await app.mold()
  await reloaded(app)
  t.ok(isRunning(mold))
  await app.printed(new RegExp(`pid=${mold} exited \\(unwanted\\)`))
})

t.test('a rollback forks the old generation back, even when its files are gone', async (t) => {
  const app = new ForkingApp(t)
  await reloaded(app)
  t.strictSame(await versions(app), ['2 of gen=2', '2 of gen=2'])
  for (const file of ['app.mjs', 'main.mjs', 'node_modules']) rmSync(path.join(app.app, file), { recursive: true })
  await app.replaced(() => app.call('rollback'))
  t.strictSame(await versions(app), ['1 of gen=1', '1 of gen=1'])
  await app.printed(/rolled back: gen=1 serves/)
  await t.rejects(app.call('rollback'), { code: 'MAPACHE_ROLLBACK_UNAVAILABLE' }, 'and no further')
})

t.test('a rollback calls a running reload back', async (t) => {
  const app = new ForkingApp(t, { settings: { settle: 20_000 } })
  const workers = await app.workersServing(2)
  app.deploy(2)
  const reload = t.rejects(app.call('reload'), { code: 'MAPACHE_ROLLED_BACK' })
  await app.printed(/gen=2 pid=\d+ serving/)
  t.match(await app.call('rollback'), { generation: 1 })
  await reload
  await until(() => app.workers.length === 2 && workers.every((pid) => app.workers.includes(pid)), 'the old ones alone')
})

t.test('without a generation before there is nothing to roll back to', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  await t.rejects(app.call('rollback'), { code: 'MAPACHE_ROLLBACK_UNAVAILABLE' })
})

t.test('a generation that keeps crashing is rolled back by itself, and says so', async (t) => {
  const app = new ForkingApp(t)
  await reloaded(app)
  for (let crash = 0; crash < 2; crash += 1) {
    const [pid] = app.workers.filter((one) => isGeneration(one, 2))
    if (pid === undefined) throw new Error('no worker of generation 2 serves')
    process.kill(pid, 'SIGKILL')
    await until(() => !isRunning(pid) && !app.workers.includes(pid), 'its end')
  }
  await app.printed(/gen=2 lost 2 workers to crashes; rolling back to gen=1/)
  await app.printed(/rolled back: gen=1 serves/)
  t.strictSame(await versions(app), ['1 of gen=1', '1 of gen=1'])
})

t.test('with a share of 0 it is not', async (t) => {
  const app = new ForkingApp(t, { settings: { rollbackShare: 0 } })
  await reloaded(app)
  for (let crash = 0; crash < 4; crash += 1) await app.crash()
  t.strictSame(await versions(app), ['2 of gen=2', '2 of gen=2'])
})

function isGeneration(pid: number, generation: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`gen=${generation}`)
}
