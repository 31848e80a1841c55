import type http from 'node:http'
import t from 'tap'
import { DevApp, keptConnection, tells } from '../support/dev.js'
import { until } from '../support/fixture.js'

t.test('an edit gives the next request the new code, on new connections and on kept ones', async (t) => {
  const app = new DevApp(t)
  await app.started()
  const agent = keptConnection(t)
  const first = await app.ask({ agent })
  t.equal(first.version, 1)
  for (const version of [2, 3]) {
    t.equal(await app.change('server.mjs', tells(version)), 'server.mjs')
    t.equal((await app.ask({ agent })).version, version)
    t.equal((await app.ask()).version, version)
  }
  t.not((await app.ask()).pid, first.pid)
  t.match(app.output, /^http:\/\/localhost:\d+ · \w+ · server\.mjs · gen 1 in \d+ ms$/m)
  t.match(app.output, /^reloaded in \d+ ms · server\.mjs · gen 3$/m)
})

t.test('files that the app loads count: imported, required, imported later; others do not', async (t) => {
  const app = new DevApp(t, {
    files: {
      'server.mjs': tells(1, IMPORTS, `{ a, b, c: req.url === '/c' ? (await import('./lib/c.mjs')).c : 0 }`).replace(
        '(req, res) =>',
        'async (req, res) =>'
      ),
      'lib/a.mjs': 'export const a = 1',
      'lib/b.cjs': 'exports.b = 1',
      'lib/c.mjs': 'export const c = 1',
      'lib/unused.mjs': '1',
      'notes.txt': 'a',
      'data.json': '{}'
    }
  })
  await app.started()
  t.equal(await app.change('lib/a.mjs', 'export const a = 2'), 'lib/a.mjs')
  t.match((await app.ask()).more, { a: 2, b: 1 })
  for (const file of ['lib/unused.mjs', 'notes.txt', 'data.json', 'lib/c.mjs', 'lib/new.mjs']) {
    app.files.write(file, 'export const c = 1 // edited')
  }
  // The sentinel: what was written before it would have been noticed before it.
  t.equal(await app.change('lib/b.cjs', 'exports.b = 2'), 'lib/b.cjs')
  t.match((await app.ask()).more, { a: 2, b: 2 })
  t.equal(app.reloads, 2)
  t.match(JSON.parse(await app.body('/c')).more, { c: 1 })
  await until(async () => {
    app.edit('lib/c.mjs', `export const c = 2 // ${Math.random()}`)
    return JSON.parse(await app.body('/c')).more.c === 2
  }, 'the file that was loaded later')
})

t.test('files of --watch count, too, also new ones', async (t) => {
  const app = new DevApp(t, {
    args: ['--watch', 'views/**', '--watch', '.env'],
    files: { 'server.mjs': tells(1), 'views/a.html': 'a', '.env': 'A=1', 'other/a.html': 'a' }
  })
  await app.started()
  t.equal(await app.change('views/a.html', 'b'), 'views/a.html')
  app.files.write('other/a.html', 'b')
  t.equal(await app.change('.env', 'A=2'), '.env')
  t.equal(await app.change('views/deep/new.html', 'b'), 'views/deep/new.html')
  t.equal(app.reloads, 3)
})

t.test('a change of --env-file gives the next request its variables', async (t) => {
  const app = new DevApp(t, {
    args: ['--env-file', '.env'],
    files: { 'server.mjs': tells(1, '', 'process.env.FROM_FILE'), '.env': 'FROM_FILE=one' }
  })
  await app.started()
  t.equal((await app.ask()).more, 'one')
  t.equal(await app.change('.env', 'FROM_FILE=two'), '.env')
  t.equal((await app.ask()).more, 'two')
  app.edit('.env', '')
  app.files.remove('.env')
  await app.said(/^MapacheError: MAPACHE_ENV_FILE: envFile .*\.env cannot be read: .*$/m)
  await app.change('.env', 'FROM_FILE=three')
  t.equal((await app.ask()).more, 'three')
})

t.test('a burst makes one reload', async (t) => {
  const names = Array.from({ length: 6 }, (_, index) => `lib/m${index}.mjs`)
  const app = new DevApp(t, {
    files: {
      'server.mjs': tells(1, names.map((name, index) => `import m${index} from './${name}'`).join('\n'), '[m0, m5]'),
      ...Object.fromEntries(names.map((name) => [name, 'export default 1']))
    }
  })
  await app.started()
  app.begin()
  for (const name of names) app.files.write(name, 'export default 2')
  t.match(await app.reloaded(), /^lib\/m\d\.mjs and 5 more$/)
  t.same((await app.ask()).more, [2, 2])
  t.equal(await app.change('lib/m0.mjs', 'export default 3'), 'lib/m0.mjs')
  t.equal(app.reloads, 2)
})

t.test('requests wait for the new code while it boots', async (t) => {
  const slow = 'await new Promise((resolve) => setTimeout(resolve, 300))'
  const app = new DevApp(t)
  await app.started()
  const agent = keptConnection(t)
  await app.ask({ agent })
  app.edit('server.mjs', tells(2, slow))
  const versions = new Set<number>()
  let last = 0
  await until(async () => {
    last = (await app.ask({ agent })).version
    versions.add(last)
    return last === 2
  }, 'the new code')
  const [kept, ...others] = await Promise.all([app.ask({ agent }), ...Array.from({ length: 20 }, () => app.ask())])
  t.equal(kept?.version, 2)
  t.same(new Set(others.map(({ version }) => version)), new Set([2]))
})

t.test('over 20 edits under load nothing is refused, and nothing old is answered after something new', async (t) => {
  const app = new DevApp(t)
  await app.started()
  const port = await app.port()
  let newest = 1
  let running = true
  let answered = 0
  const wrong: string[] = []
  const ask = async (name: string, agent?: http.Agent) => {
    while (running) {
      const sentAt = newest
      try {
        const { version } = await app.ask({ port, ...(agent ? { agent } : {}) })
        answered += 1
        if (version < sentAt) wrong.push(`${name}: ${version} after ${sentAt}`)
        newest = Math.max(newest, version)
      } catch (error) {
        wrong.push(`${name}: ${(error as Error).message}`)
      }
    }
  }
  const kept = Array.from({ length: 4 }, () => ask('kept', keptConnection(t)))
  const fresh = Array.from({ length: 4 }, () => ask('new'))
  for (let version = 2; version <= 21; version += 1) {
    app.edit('server.mjs', tells(version))
    await until(
      () => newest === version || wrong.length > 0,
      `version ${version}`,
      () => app.output
    )
    const enough = answered + 20
    await until(() => answered > enough || wrong.length > 0, 'answers')
  }
  running = false
  await Promise.all([...kept, ...fresh])
  t.same(wrong, [])
  t.comment(`${answered} answers`)
})

const IMPORTS = `import { createRequire } from 'node:module'
import { a } from './lib/a.mjs'
const { b } = createRequire(import.meta.url)('./lib/b.cjs')`
