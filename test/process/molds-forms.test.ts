import path from 'node:path'
import t, { type Test } from 'tap'
import { FIXTURES, Fixture, get, startCli, until } from '../support/fixture.js'
import { everyWorker } from '../support/serve.js'

if (process.platform !== 'linux') {
  t.plan(0, 'forking is for Linux')
  process.exit()
}

const FORKING = path.join(FIXTURES, 'forking')
const start = (t: Test, script: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []) => {
  return new Fixture(t, path.join(FORKING, script), { cwd: FORKING, env, args })
}

/** Its workers answer, were forked from the mold, and are replaced by a reload; a stop leaves nothing. */
async function isForked(t: Test, fixture: Fixture, target?: { socketPath: string } | { protocol: string }) {
  const [, mold] = await fixture.printed(/mold=\d+ gen=1 pid=(\d+) ready/)
  const ask = async () => {
    if (target && 'socketPath' in target) return get(target)
    return get({ host: '127.0.0.1', port: await fixture.port(), ...target })
  }
  const before = await fixture.workersServing(2)
  for (const { pid, ppid, loadedBy } of (await everyWorker(2, ask)).values()) {
    t.ok(before.includes(pid as number))
    t.equal(ppid, fixture.pid)
    t.equal(loadedBy, Number(mold))
  }
  fixture.kill('SIGHUP')
  await fixture.printed(/reloaded: gen=2 serves/)
  await until(
    () => fixture.workers.length === 2 && fixture.workers.every((pid) => !before.includes(pid)),
    'the new ones'
  )
  await ask()
  fixture.kill('SIGTERM')
  t.equal((await fixture.exit()).code, 0)
  await fixture.gone()
  t.strictSame(fixture.leftovers(), [])
}

const FORMS = ['http', 'http-module', 'express', 'fastify', 'fastify-register', 'fastify-register-cjs']

for (const form of FORMS) {
  t.test(`${form}: workers are forked`, async (t) => isForked(t, start(t, 'forms.mjs', {}, [form])))
}

t.test('an entry of mapache start, which knows nothing of Mapache, is forked as well', async (t) => {
  const fixture = startCli(t, ['-w', '2', '--settle', '50', path.join(FORKING, 'plain.mjs')])
  await isForked(t, fixture)
})

t.test('on a Unix socket', async (t) => {
  const socketPath = path.join(t.testdir(), 'app.sock')
  await isForked(t, start(t, 'forms.mjs', { LISTEN: JSON.stringify([{ path: socketPath }]) }, ['express']), {
    socketPath
  })
})

t.test('with HTTPS', async (t) => {
  await isForked(t, start(t, 'forms.mjs', {}, ['https']), { protocol: 'https:' })
})

t.test('a server that the app opens later has its socket from the supervisor, too', async (t) => {
  const fixture = start(t, 'forms.mjs', {}, ['late'])
  const [, port] = await fixture.printed(/late on (\d+)/)
  await fixture.workersServing(2)
  const pids = await everyWorker(2, () => get(Number(port)))
  t.equal(pids.size, 2, 'one port for both workers')
})
