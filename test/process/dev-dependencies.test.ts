import t from 'tap'
import { DevApp, dependency, tells } from '../support/dev.js'
import { unsupported } from '../support/native.js'

const RECORDS = 'export const loadedBy = process.pid'
const IMPORTS = `import * as good from 'good-dep'
import * as bad from '@scope/bad-dep'`
const code = (version: number, first = '') =>
  tells(version, `${first}\n${IMPORTS}`, '{ good: good.loadedBy, bad: bad.loadedBy }')

const UNCLEAN = {
  'opens a socket': `import dgram from 'node:dgram'
${RECORDS}
dgram.createSocket('udp4').bind(0, '127.0.0.1').unref()`,
  'tells a server to listen': `import http from 'node:http'
${RECORDS}
http.createServer((_req, res) => res.end(String(loadedBy))).listen('dep.sock')`,
  'starts a thread': `import { Worker } from 'node:worker_threads'
${RECORDS}
new Worker('setInterval(() => {}, 1000)', { eval: true }).unref()`,
  'fails when it is loaded alone': `if (!globalThis.configured) throw new Error('not configured')
${RECORDS}`
}

for (const [what, bad] of Object.entries(UNCLEAN)) {
  t.test(`a dependency that ${what} is left out and named, and the app works`, unsupported, async (t) => {
    const first = `import './first.mjs'`
    const app = new DevApp(t, {
      args: ['--log-level', 'info'],
      files: {
        'server.mjs': code(1, first),
        'first.mjs': 'globalThis.configured = true',
        ...dependency('good-dep', RECORDS),
        ...dependency('@scope/bad-dep', bad)
      }
    })
    t.equal(await app.started(), 'fork')
    const mold = await app.ready()
    t.match(app.output, /^@scope\/bad-dep is loaded anew at each change: .+$/m)
    for (const version of [2, 3]) {
      await app.change('server.mjs', code(version, first))
      const { pid, more, ...told } = await app.ask()
      t.equal(told.version, version)
      t.same(more, { good: mold, bad: pid })
    }
    t.equal(app.count(/loaded anew at each change/), 1)
    t.notMatch(app.output, /from now on/)
  })
}

t.test('a file of a dependency that is only read is not run in the mold', unsupported, async (t) => {
  const read = `import { readFile } from 'node:fs/promises'
import manifest from 'dep/package.json' ${Number(process.versions.node.split('.')[0]) < 22 ? 'assert' : 'with'} { type: 'json' }
await readFile(new URL('./node_modules/dep/bin.js', import.meta.url))
import { loadedBy } from 'dep'`
  const code = (version: number) => tells(version, read, '{ loadedBy, name: manifest.name }')
  const app = new DevApp(t, {
    args: ['--log-level', 'info'],
    files: {
      'server.mjs': code(1),
      ...dependency('dep', RECORDS),
      'node_modules/dep/package.json':
        '{ "name": "dep", "type": "module", "exports": { ".": "./index.js", "./package.json": "./package.json" } }',
      'node_modules/dep/bin.js': `console.log('run though it was only read')`
    }
  })
  await app.started()
  const mold = await app.ready()
  await app.change('server.mjs', code(2))
  t.match(await app.ask(), { version: 2, more: { loadedBy: mold, name: 'dep' } })
  t.notMatch(app.output, /only read|loaded anew/)
})

t.test('a lockfile that changed: the dependencies are loaded anew, and the app with them', unsupported, async (t) => {
  const app = new DevApp(t, {
    args: ['--log-level', 'info'],
    files: {
      'server.mjs': tells(1, `import { version } from 'dep'`, '{ version }'),
      'package-lock.json': '{}',
      ...dependency('dep', 'export const version = 1')
    }
  })
  await app.started()
  const mold = await app.ready()
  app.begin()
  app.files.write('node_modules/dep/index.js', 'export const version = 2')
  app.files.write('package-lock.json', '{ "changed": true }')
  t.match(await app.reloaded(), /package-lock\.json|node_modules\/dep\/index\.js/)
  t.match(app.output, /changed: dependencies are loaded anew/)
  t.same((await app.ask()).more, { version: 2 })
  const next = await app.ready()
  t.not(next, mold)
  await app.change('server.mjs', tells(3, `import { version } from 'dep'`, '{ version }'))
  t.match(await app.ask(), { version: 3, more: { version: 2 } })
  t.ok(app.titles().has(next))
})

t.test('a dependency that is added serves, and is kept loaded from then on', unsupported, async (t) => {
  const app = new DevApp(t, { args: ['--log-level', 'info'] })
  await app.started()
  await app.ready()
  for (const [file, text] of Object.entries(dependency('late', RECORDS))) app.files.write(file, text)
  const late = (version: number) => tells(version, `import { loadedBy } from 'late'`, 'loadedBy')
  await app.change('server.mjs', late(2))
  const { pid, more } = await app.ask()
  t.equal(more, pid)
  const mold = await app.ready()
  await app.change('server.mjs', late(3))
  t.match(await app.ask(), { version: 3, more: mold })
})
