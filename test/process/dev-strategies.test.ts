import t from 'tap'
import { DevApp, type DevOptions, dependency, type Files, tells } from '../support/dev.js'
import { isRunning, until } from '../support/fixture.js'
import { unsupported } from '../support/native.js'

const RECORDS = 'export const loadedBy = process.pid'
const IMPORTS = `import { createRequire } from 'node:module'
import * as esm from 'esm-dep'
const cjs = createRequire(import.meta.url)('cjs-dep')`
const dependencies: Files = {
  ...dependency('esm-dep', RECORDS),
  ...dependency('cjs-dep', 'exports.loadedBy = process.pid', 'commonjs')
}
const code = (version: number) => tells(version, IMPORTS, '{ esm: esm.loadedBy, cjs: cjs.loadedBy }')
const options = (...args: string[]): DevOptions => ({
  args: ['--log-level', 'info', ...args],
  files: { 'server.mjs': code(1), ...dependencies }
})

t.test('fork: each worker comes from a mold that has the dependencies loaded', unsupported, async (t) => {
  const app = new DevApp(t, options())
  t.equal(await app.started(), 'fork')
  const mold = await app.ready()
  t.match(app.titles().get(mold), /^mapache mold=\d+ base=\d+ /)
  const pids = new Set<number>()
  for (const version of [2, 3]) {
    await app.change('server.mjs', code(version))
    const told = await app.ask()
    t.equal(told.version, version)
    t.same(told.more, { esm: mold, cjs: mold })
    t.match(told.title, /^mapache worker=\d+ gen=/)
    pids.add(told.pid)
  }
  t.equal(pids.size, 2)
  t.notOk(pids.has(mold))
  t.ok(isRunning(mold), 'one mold for all')
})

t.test('standby: a process with the dependencies loaded becomes the worker, and another takes its place', async (t) => {
  const app = new DevApp(t, options('--strategy', 'standby'))
  t.equal(await app.started(), 'standby')
  for (const version of [2, 3]) {
    const spare = await app.ready()
    t.notMatch(app.titles().get(spare), /worker/)
    await app.change('server.mjs', code(version))
    const { pid, title, more } = await app.ask()
    t.equal(pid, spare)
    t.match(title, /^mapache worker=\d+ gen=/)
    t.same(more, { esm: spare, cjs: spare })
  }
  const next = await app.ready()
  t.equal(app.processes().length, 3, 'supervisor, worker and the next one')
  t.ok(isRunning(next))
})

t.test('restart: nothing is kept', async (t) => {
  const app = new DevApp(t, options('--strategy', 'restart'))
  t.equal(await app.started(), 'restart')
  for (const version of [2, 3]) {
    await app.change('server.mjs', code(version))
    const { pid, ppid, more } = await app.ask()
    t.equal(ppid, app.pid)
    t.same(more, { esm: pid, cjs: pid })
    await until(
      () => app.processes().length === 2,
      'supervisor and worker alone',
      () => [...app.titles()].join('\n')
    )
  }
})

t.test('fork is asked for and not possible: that is said, and nothing starts', async (t) => {
  const app = new DevApp(t, { ...options('--strategy', 'fork'), env: { MAPACHE_NATIVE_BINARY: '/nowhere' } })
  t.same(await app.exit(), { code: 1, signal: null })
  t.match(app.output, /^mapache: MAPACHE_FORK_UNAVAILABLE: .*@mapache\/native has no binary/m)
})

t.test('without @mapache/native standby is taken, and said', async (t) => {
  const app = new DevApp(t, { ...options(), env: { MAPACHE_NATIVE_BINARY: '/nowhere' } })
  t.equal(await app.started(), 'standby')
  const spare = await app.ready()
  await app.change('server.mjs', code(2))
  t.match(await app.ask(), { version: 2, pid: spare, more: { esm: spare, cjs: spare } })
})

t.test('a wrong strategy is told', async (t) => {
  const app = new DevApp(t, options('--strategy', 'magic'))
  t.same(await app.exit(), { code: 2, signal: null })
  t.match(app.output, /--strategy must be auto, fork, standby or restart, got magic/)
})
