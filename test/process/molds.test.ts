import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { busy, get, until } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'
import { everyWorker } from '../support/serve.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

t.test('workers are forked from a mold, and are children of the supervisor', async (t) => {
  const app = new ForkingApp(t)
  const mold = await app.mold()
  const port = await app.port()
  const pids = await app.workersServing(2)
  const said = [...(await everyWorker(2, () => get(port))).values()]
  t.strictSame(said.map(({ pid }) => pid).sort(), [...pids].sort())
  for (const one of said) {
    t.match(one, { ppid: app.pid, loadedBy: mold, forks: 1, generation: 1 }, 'it has the code that the mold loaded')
    t.match(one.title, `worker=${one.id} gen=1 pid=${one.pid}`)
    const [, , , session] = readFileSync(`/proc/${one.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    t.equal(Number(session), one.pid, 'it leads a session of its own')
  }
  t.notOk(app.output.includes('built by'), 'the factory is never called in the mold')
})

t.test('a stop leaves nothing behind', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  app.kill('SIGTERM')
  t.strictSame(await app.exit(), { code: 0, signal: null })
  await app.gone()
  t.strictSame(app.leftovers(), [])
})

t.test('when the supervisor is killed the mold ends at once, and the workers when they are done', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  app.kill('SIGKILL')
  await app.gone()
  t.strictSame(app.leftovers(), [])
})

t.test('a worker that is blocked when the supervisor is killed ends all the same', async (t) => {
  const load = "globalThis.onRequest = (url) => { if (url === '/block') for (;;); }"
  const app = new ForkingApp(t, { load, settings: { hangTimeout: 2_000 } })
  const port = await app.port()
  await app.workersServing(2)
  const blocked = t.rejects(get(port, '/block'))
  await Promise.any(app.workers.map(busy))
  app.kill('SIGKILL')
  await app.gone()
  await blocked
})

t.test('siblings do not share what is random', async (t) => {
  const app = new ForkingApp(t, { settings: { workers: 4 } })
  const port = await app.port()
  const seen = { random: new Set(), uuid: new Set(), int: new Set() }
  await app.workersServing(4)
  let answers = 0
  for (let round = 0; round < 25; round += 1) {
    for (const one of (await everyWorker(4, () => get(port))).values()) {
      answers += 1
      for (const [kind, values] of Object.entries(seen)) values.add(one[kind])
    }
  }
  for (const [kind, values] of Object.entries(seen)) t.equal(values.size, answers, kind)
})

t.test('how a worker ends is known, whatever the way', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  const port = await app.port()
  await t.rejects(get(port, '/exit'))
  await app.printed(/ended \(crash, code 3\)/)
  await app.workersServing(2)
  await get(port, '/throw').catch(() => {})
  await app.printed(/ended \(crash, code 1\): thrown by a request/)
  await app.printed(/^Error: thrown by a request$/m)
  await app.workersServing(2)
  const [first = 0] = app.workers
  process.kill(first, 'SIGTERM')
  await app.printed(new RegExp(`pid=${first} exited \\(signal\\)`))
  await app.workersServing(2)
  await app.crash()
  await app.printed(/ended \(crash, SIGKILL\)/)
})

t.test('a crash is replaced by a fork: files that were overwritten in place never leak in', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  app.deploy(2)
  for (let crash = 0; crash < 2; crash += 1) await app.crash()
  const port = await app.port()
  const said = [...(await everyWorker(2, () => get(port))).values()]
  t.strictSame(
    said.map(({ version }) => version),
    [1, 1]
  )
})

t.test('a reload is a new mold from disk', async (t) => {
  const app = new ForkingApp(t)
  await app.workersServing(2)
  app.deploy(2)
  await app.replaced(() => app.kill('SIGHUP'))
  const mold = await app.mold(2)
  t.match(await app.ask(), { version: 2, generation: 2, loadedBy: mold })
})

t.test('preload loads more before the fork', async (t) => {
  const file = path.join(t.testdir({ 'heavy.mjs': 'globalThis.heavy = process.pid' }), 'heavy.mjs')
  const app = new ForkingApp(t, {
    settings: { preload: [file] },
    load: "console.log('heavy is of ' + globalThis.heavy)"
  })
  await app.printed(new RegExp(`heavy is of ${await app.mold()}`))
  await app.workersServing(2)
})

t.test('a preload that is not there fails the start, by its name', async (t) => {
  const app = new ForkingApp(t, { settings: { preload: ['./nothing.mjs'], bootAttempts: 1 } })
  t.equal((await app.exit()).code, 1)
  t.match(app.output, /nothing\.mjs/)
})

t.test('the orphans of a worker are taken in and reaped', async (t) => {
  const app = new ForkingApp(t, {
    load: `import { spawn } from 'node:child_process'
worker.onFork(() => setTimeout(() => {
  // The first alone: its replacement stays.
  if (worker.id !== 2) return
  const orphan = spawn('sleep', ['0.2'], { detached: true, stdio: 'ignore' })
  console.log(\`orphan \${orphan.pid} of \${process.pid}\`)
  process.kill(process.pid, 'SIGKILL')
}, 300))`,
    settings: { workers: 1 }
  })
  const [, orphan] = await app.printed(/orphan (\d+) of/)
  await until(() => parentOf(Number(orphan)) !== undefined, 'the orphan')
  await until(
    () => parentOf(Number(orphan)) === undefined,
    'the orphan reaped',
    () => app.output
  )
  t.pass()
})

function parentOf(pid: number): number | undefined {
  try {
    return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}
