import { rmSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { Watch } from '../support/deploy.js'
import { busy, isRunning, until } from '../support/fixture.js'
import { ForkingApp, tell, whenTold } from '../support/forking.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

const FAULTS: Record<string, string> = {
  'raises an error': "throw new Error('the mold raises')",
  exits: 'process.exit(4)',
  'is killed': "process.kill(process.pid, 'SIGKILL')",
  'comes to hang': 'for (;;);'
}

for (const [fault, code] of Object.entries(FAULTS)) {
  t.test(`a mold that ${fault} is replaced, and the workers serve on`, async (t) => {
    const file = path.join(t.testdir(), 'now')
    const app = new ForkingApp(t, { load: whenTold(file, code), settings: { hangTimeout: 2_000 } })
    const before = await app.mold()
    const workers = await app.workersServing(2)
    const from = app.output.length
    tell(file)
    await until(
      () => !isRunning(before),
      'its end',
      () => app.output
    )
    // Its replacement does the same: without the file it may live.
    rmSync(file)
    const after = await app.mold(1, from)
    t.not(after, before)
    t.strictSame([...app.workers].sort(), [...workers].sort(), 'no worker was touched')
    await app.crash()
    t.match(await app.ask(), { version: 1 })
  })
}

t.test('a mold that hangs while a fork is awaited of it is replaced before hangTimeout', async (t) => {
  const file = path.join(t.testdir(), 'now')
  const app = new ForkingApp(t, { load: whenTold(file, 'for (;;);'), settings: { spare: 0 } })
  const mold = await app.mold()
  await app.workersServing(2)
  tell(file)
  await busy(mold)
  // Its replacement shall live.
  rmSync(file)
  await app.crash()
  t.match(app.output, /mold=\d+ gen=1 pid=\d+ does not answer any more/)
})

t.test('a mold that fails to fork twice in a row is replaced, once is tried again', async (t) => {
  const file = path.join(t.testdir(), 'fail')
  const native = `import { existsSync, readFileSync, unlinkSync } from 'node:fs'
let failed = 0
export function fork() {
  if (existsSync(${JSON.stringify(file)}) && failed < Number(readFileSync(${JSON.stringify(file)}, 'utf8'))) {
    failed += 1
    throw Object.assign(new Error('fork: EAGAIN'), { code: 'EAGAIN' })
  }
  return real.fork()
}`
  const app = new ForkingApp(t, { native })
  const mold = await app.mold()
  await app.workersServing(2)
  tell(file, '1')
  await app.crash()
  t.ok(isRunning(mold), 'one failure is forgiven')
  t.match(app.output, /MAPACHE_FORK_FAILED: fork: EAGAIN/)
  tell(file, '9')
  const [pid = 0] = app.workers
  process.kill(pid, 'SIGKILL')
  await app.printed(/failed to fork 2 times in a row; replaced/)
  rmSync(file)
  await until(() => !isRunning(mold), 'its end')
  await app.workersServing(2)
  t.match(await app.ask(), { version: 1 })
})

t.test('a worker that hangs in boot is killed at bootTimeout; its mold is not to blame', async (t) => {
  const app = new ForkingApp(t)
  const mold = await app.mold()
  const workers = await app.workersServing(2)
  const watch = new Watch(t, await app.port())
  app.deploy(2, 'worker.onFork(() => { for (;;); })')
  const hung = new ForkingApp(t, {
    settings: { bootTimeout: 1_000, bootAttempts: 2 },
    load: 'worker.onFork(() => { for (;;); })'
  })
  t.equal((await hung.exit()).code, 1)
  t.match(hung.output, /MAPACHE_BOOT_TIMEOUT/)
  await watch.stop()
  t.ok(isRunning(mold))
  t.strictSame(app.workers, workers)
})

t.test('a new mold that cannot load fails the reload with the error of the app', async (t) => {
  const app = new ForkingApp(t)
  const workers = await app.workersServing(2)
  app.deploy(2, "throw new Error('no such table')")
  app.kill('SIGHUP')
  await app.printed(/reload failed \(boot\); gen=1 serves on: .*no such table/)
  t.strictSame(app.workers, workers)
  app.deploy(3)
  await app.replaced(() => app.kill('SIGHUP'))
  t.match(await app.ask(), { version: 3 })
})

t.test('a mold that cannot be kept alive: its workers are spawned', async (t) => {
  const file = path.join(t.testdir(), 'now')
  const app = new ForkingApp(t, { load: whenTold(file, 'process.exit(4)') })
  await app.workersServing(2)
  tell(file)
  await app.printed(/the mold of gen=1 cannot be kept alive .* spawned from now on/)
  rmSync(file)
  const pid = await app.crash()
  t.match(await app.ask(), { version: 1 })
  t.ok(isRunning(pid))
})
