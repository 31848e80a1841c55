// A set-up in every form that an app can have, and where workers are forked; a real database.

import { cpSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { type Fixture, get, ROOT, start, startCli } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'

t.jobs = 3

const TASKS = `workers: 2, settle: 50,
  setup: ({ generation }) => console.log('set up', generation, process.pid),
  teardown: ({ generation }) => console.log('torn down', generation, process.pid)`

const FORMS: Record<string, string> = {
  express: `import express from 'express'
    import { mapacheExpress } from '@mapache/express'
    await mapacheExpress(() => express().get('/', (req, res) => res.send('ok')), { ${TASKS} }).listen(0, '127.0.0.1')`,
  mapacheFastify: `import Fastify from 'fastify'
    import { mapacheFastify } from '@mapache/fastify'
    await mapacheFastify(() => Fastify().get('/', async () => 'ok'), { ${TASKS} }).listen({ port: 0, host: '127.0.0.1' })`,
  register: `import Fastify from 'fastify'
    import mapache from '@mapache/fastify'
    const app = Fastify()
    app.get('/', async () => 'ok')
    app.register(mapache, { ${TASKS} })
    await app.listen({ port: 0, host: '127.0.0.1' })`,
  'register within a plugin': `import Fastify from 'fastify'
    import mapache from '@mapache/fastify'
    const app = Fastify()
    app.register(async (inner) => { inner.register(mapache, { ${TASKS} }) })
    app.get('/', async () => 'ok')
    await app.listen({ port: 0, host: '127.0.0.1' })`,
  'the factory as a module, with modules': `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp('./listener.mjs', { workers: 2, settle: 50, setup: './set-up.mjs', teardown: './torn-down.mjs' })
      .listen(0, '127.0.0.1')`,
  'the factory as a module, which exports them': `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp('./exports.mjs', { workers: 2, settle: 50 }).listen(0, '127.0.0.1')`,
  'a module beside a function': `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (req, res) => res.end('ok'), { workers: 2, settle: 50, setup: './set-up.mjs',
      teardown: new URL('./torn-down.mjs', import.meta.url) }).listen(0, '127.0.0.1')`
}

/** Those that are run by `mapache start` as well, which finds the tasks in the code in another way. */
const BY_COMMAND = new Set(['register', 'the factory as a module, which exports them'])

for (const [form, text] of Object.entries(FORMS)) {
  t.test(form, async (t) => {
    const folder = t.testdir()
    for (const name of ['set up', 'torn down']) {
      const file = path.join(folder, `${name.replace(' ', '-')}.mjs`)
      put(file, `export default ({ generation }) => console.log('${name}', generation, process.pid)`)
    }
    put(path.join(folder, 'listener.mjs'), "export default () => (req, res) => res.end('ok')")
    put(
      path.join(folder, 'exports.mjs'),
      `export default () => (req, res) => res.end('ok')
      export const setup = ({ generation }) => console.log('set up', generation, process.pid)
      export const teardown = ({ generation }) => console.log('torn down', generation, process.pid)`
    )
    const entry = put(path.join(folder, 'app.mjs'), text)
    const stops = async (fixture: Fixture) => {
      await fixture.workersServing(2)
      t.strictSame(life(fixture), ['set up 1'])
      t.equal((await get(await fixture.port())).body, 'ok')
      t.equal(await reload(fixture), 'done')
      fixture.kill('SIGTERM')
      t.strictSame(await fixture.exit(), { code: 0, signal: null })
      t.strictSame(life(fixture), ['set up 1', 'set up 2', 'torn down 2'])
    }
    await stops(start(t, entry, { cwd: folder }))
    if (BY_COMMAND.has(form)) await stops(startCli(t, [entry], { cwd: folder }))
  })
}

function life({ output }: Fixture | { output: string }): string[] {
  return [...output.matchAll(/^(set up \d+|torn down \d+) \d+$/gm)].map(([, text = '']) => text)
}

t.test('where something else listens before it is reached nothing serves without it', async (t) => {
  const folder = t.testdir()
  const text = `import { once } from 'node:events'
    import http from 'node:http'
    import { mapacheHttp } from '@mapache/core'
    await once(http.createServer((req, res) => res.end('other')).listen(0, '127.0.0.1'), 'listening')
    await mapacheHttp(() => (req, res) => res.end('ok'), { ${TASKS}, bootAttempts: 1 }).listen(0, '127.0.0.1')`
  const entry = put(path.join(folder, 'app.mjs'), text)
  for (const fixture of [
    start(t, entry, { cwd: folder }),
    startCli(t, ['--config', put(path.join(folder, 'config.mjs'), 'export default { bootAttempts: 1 }'), entry], {
      cwd: folder
    })
  ]) {
    t.match(await fixture.exit(), { code: 1 })
    t.match(fixture.output, /MAPACHE_OPTION_INVALID: setup is not reached: something else of the app listens before it/)
    t.strictSame(life(fixture), [])
    t.notMatch(fixture.output, ' serving')
  }
})

t.test('a function beside a factory that is a module is refused', async (t) => {
  const folder = t.testdir()
  put(path.join(folder, 'listener.mjs'), '')
  const text = `import { mapacheHttp } from '@mapache/core'
    mapacheHttp('./listener.mjs', { setup: () => {} })`
  const fixture = start(t, put(path.join(folder, 'app.mjs'), text), { cwd: folder })
  await fixture.exit()
  t.match(
    fixture.output,
    'setup is a function and cannot reach the workers of a module; export it from the module as `setup`'
  )
})

t.test(
  'where workers are forked it runs before the mold is launched',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const app = new ForkingApp(t, { settings: { name: `forked-${process.pid}` } })
    const file = path.join(app.app, 'app.mjs')
    await app.workersServing(2)
    put(
      file,
      `${readFileSync(file, 'utf8')}\nexport const setup = ({ generation }) => console.log('set up', generation, process.pid)\n`
    )
    t.equal(await reload(app), 'done')
    await app.workersServing(2)
    t.strictSame(life(app), ['set up 2'])
    const order = [
      /gen=2 brings a setup/,
      /setup gen=2 .* done/,
      /mold=\d+ gen=2 pid=\d+ ready/,
      /worker=\d+ gen=2 .* serving/
    ]
    const places = order.map((pattern) => app.output.search(pattern))
    t.strictSame(
      places,
      [...places].sort((a, b) => a - b)
    )
    t.ok(places[0] !== -1)
    const from = app.output.length
    app.kill('SIGURG')
    await app.printed(/reforked: gen=3 serves/, from)
    t.strictSame(life(app), ['set up 2'], 'a refork runs none')
  }
)

t.test('a migration of a real database: a new column, then a broken one', async (t) => {
  const source = path.join(ROOT, 'examples/migration')
  const folder = t.testdir()
  cpSync(source, folder, { recursive: true, filter: (file) => !/node_modules|\.db/.test(file) })
  symlinkSync(path.join(source, 'node_modules'), path.join(folder, 'node_modules'))
  const env = { PORT: '0', DATABASE: path.join(folder, 'shop.db'), NAME: `migration-${process.pid}` }
  const fixture = start(t, path.join(folder, 'server.mjs'), { cwd: folder, env })
  await fixture.workersServing(2)
  const port = await fixture.port()
  t.match((await get(port)).body, '[{"id":1,"name":"tea"},{"id":2,"name":"coffee"}]')
  t.equal(await reload(fixture), 'done', 'with nothing to migrate')
  const answers = await Promise.all(Array.from({ length: 100 }, () => get(port).catch(() => undefined)))
  t.equal(answers.filter((answer) => answer?.status === 200).length, 100, 'both workers read it at the same time')

  const column = 'ALTER TABLE products ADD COLUMN price INTEGER NOT NULL DEFAULT 3'
  put(path.join(folder, 'migrations/2-price.sql'), column)
  t.equal(await reload(fixture), 'done')
  t.match((await get(port)).body, '[{"id":1,"name":"tea","price":3},{"id":2,"name":"coffee","price":3}]')

  const wrong = put(
    path.join(folder, 'migrations/3-wrong.sql'),
    'DELETE FROM products; ALTER TABLE missing ADD COLUMN x'
  )
  t.equal(await reload(fixture), 'setup')
  t.match(fixture.output, /MAPACHE_SETUP_FAILED: the setup of generation 4 failed: .*no such table: missing/)
  t.match((await get(port)).body, '[{"id":1,"name":"tea","price":3},{"id":2,"name":"coffee","price":3}]')
  rmSync(wrong)
  t.equal(await reload(fixture), 'done', 'and the next one works')
  t.match((await get(port)).body, 'generation 5')
  t.equal(fixture.output.split('migrating:').length - 1, 3, 'each once, and the broken one')
  fixture.kill('SIGTERM')
  await fixture.exit()
})
