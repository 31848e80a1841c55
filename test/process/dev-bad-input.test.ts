import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { AppFolder, DevApp, dependency, tells } from '../support/dev.js'
import { until } from '../support/fixture.js'

t.test('the first start fails: the terminal shows it, and after the mend it serves', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': 'const a = = 1' } })
  await app.printed(/^failed/m)
  t.match(app.output, /server\.mjs:1/)
  await app.change('server.mjs', tells(2)).catch(() => {})
  t.equal((await app.ask()).version, 2)
  t.equal(app.count(/^failed/), 1)
})

t.test('a missing entry is waited for', async (t) => {
  const app = new DevApp(t, { files: { 'other.mjs': '1' }, entry: 'server.mjs' })
  await app.printed(/server\.mjs does not exist/)
  app.files.write('server.mjs', tells(1))
  await app.started()
  t.equal((await app.ask()).version, 1)
  t.equal(app.count(/does not exist/), 1)
})

t.test('a folder is no entry', async (t) => {
  const app = new DevApp(t, { files: { 'lib/server.mjs': tells(1) }, entry: 'lib' })
  await app.printed(/lib is a folder/)
  app.kill('SIGTERM')
  await app.exit()
})

t.test('no entry at all', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': tells(1) }, entry: '--refresh' })
  t.same(await app.exit(), { code: 2, signal: null })
  t.match(app.output, /dev needs an entry: mapache dev server\.js/)
})

t.test('an entry that is deleted and comes back', async (t) => {
  const app = new DevApp(t)
  await app.started()
  app.begin()
  app.files.remove('server.mjs')
  await app.said(
    /^failed · server\.mjs\nMapacheError: MAPACHE_ENTRY_MISSING: .*server\.mjs does not exist or cannot be read\n/m
  )
  await until(async () => (await app.get()).status === 500, 'that the old code is gone')
  t.notMatch(app.output, /warning|Require stack|\bat /)
  app.begin()
  app.files.write('server.mjs', tells(2))
  await app.reloaded()
  t.equal((await app.ask()).version, 2)
})

t.test('an entry that never listens', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': 'setInterval(() => {}, 1000)' } })
  await app.printed(/^Error: .* \(its entry has not called listen\(\)\)/m)
  app.edit('server.mjs', tells(2))
  t.equal((await app.ask()).version, 2)
})

t.test('an entry that ends without listening', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': '1' } })
  await app.printed(/^failed/m)
  app.edit('server.mjs', tells(2))
  t.equal((await app.ask()).version, 2)
})

t.test('a port in use, at the start and later', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const app = new DevApp(t, { env: { PORT: String(port) } })
  await app.printed(
    new RegExp(`^failed\nMapacheError: MAPACHE_ADDRESS_IN_USE: 127.0.0.1:${port} is in use by another process`, 'm')
  )
  t.notMatch(app.output, /\bat /)
  server.close()
  await once(server, 'close')
  app.edit('server.mjs', tells(2))
  await until(
    () => /http:/.test(app.output),
    'the start',
    () => app.output
  )
  t.equal((await app.ask()).version, 2)
})

t.test('a file that is saved half and then whole', async (t) => {
  const app = new DevApp(t)
  await app.started()
  for (const version of [2, 3]) {
    const text = tells(version)
    app.begin()
    app.files.write('server.mjs', '')
    app.files.write('server.mjs', text.slice(0, 100))
    await new Promise((resolve) => setImmediate(resolve))
    app.files.write('server.mjs', text)
    await until(async () => (await app.get()).status === 200 && (await app.ask()).version === version, 'the whole file')
  }
  app.begin()
  app.files.write('server.mjs', tells(4).slice(0, 100))
  await app.said(/^failed/m)
  await app.change('server.mjs', tells(5))
  t.equal((await app.ask()).version, 5)
})

t.test('a package of the workspace that is linked into node_modules', async (t) => {
  const shared = new AppFolder(t, {
    'package.json': '{ "name": "shared", "type": "module", "exports": "./index.js" }',
    'index.js': 'export const shared = 1'
  })
  const folder = new AppFolder(t, { 'server.mjs': tells(1, `import { shared } from 'shared'`, 'shared') })
  folder.link('node_modules/shared', shared.root)
  const app = new DevApp(t, { folder, entry: 'server.mjs' })
  await app.started()
  app.begin()
  shared.write('index.js', 'export const shared = 2')
  t.match(await app.reloaded(), /index\.js$/)
  t.equal((await app.ask()).more, 2)
})

t.test('a dependency that is edited by hand', async (t) => {
  const app = new DevApp(t, {
    files: {
      'server.mjs': tells(1, `import { version } from 'dep'`, 'version'),
      ...dependency('dep', 'export const version = 1')
    }
  })
  await app.started()
  await app.change('node_modules/dep/index.js', 'export const version = 2')
  t.equal((await app.ask()).more, 2)
  t.match(app.output, /node_modules\/dep\/index\.js changed: dependencies are loaded anew/)
})
