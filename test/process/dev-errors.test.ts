import t, { type Test as Tap } from 'tap'
import { DevApp, type Files, tells } from '../support/dev.js'
import { until } from '../support/fixture.js'

const WORKS = tells(1)
const FACTORY = (body: string) => `import { mapacheHttp } from '@mapache/core'
await mapacheHttp('./factory.mjs').listen({ port: 0, host: '127.0.0.1' })
// ${body}`
const FASTIFY = `import { mapacheFastify } from '@mapache/fastify'
await mapacheFastify('./app.mjs').listen({ port: 0, host: '127.0.0.1' })`
const BUILDS = (more: string) => `import fastify from 'fastify'
export default async () => {
  const app = fastify()
  ${more}
  return app.get('/', async () => 'works')
}`
const BROWSER = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }

/** What a save makes of the app, and what is told of it. */
const BOOT: Record<string, { files: Files; broken: Files; message: string; place?: RegExp }> = {
  'does not compile': {
    files: { 'server.mjs': WORKS },
    broken: { 'server.mjs': `const a = 1\nconst b = = 2\n` },
    message: `SyntaxError: Unexpected token '='`,
    place: /server\.mjs:2/
  },
  'does not compile in a file that it imports': {
    files: { 'server.mjs': tells(1, `import './lib.mjs'`), 'lib.mjs': '1' },
    broken: { 'lib.mjs': `\n\nlet x = {\n` },
    message: 'SyntaxError: Unexpected end of input',
    place: /lib\.mjs:\d/
  },
  'imports what is not there': {
    files: { 'server.mjs': WORKS },
    broken: { 'server.mjs': `import './nowhere.mjs'` },
    message: 'Error [ERR_MODULE_NOT_FOUND]'
  },
  'throws when it is imported': {
    files: { 'server.mjs': WORKS },
    broken: { 'server.mjs': `${WORKS}\nthrow new TypeError('thrown at import')` },
    message: 'TypeError: thrown at import',
    place: /server\.mjs:\d+:7/
  },
  'rejects in its factory': {
    files: { 'server.mjs': FACTORY(''), 'factory.mjs': 'export default () => (req, res) => res.end("works")' },
    broken: { 'factory.mjs': `export default async () => { throw new Error('rejected by the factory') }` },
    message: 'Error: rejected by the factory',
    place: /factory\.mjs:1:36/
  },
  'rejects in its factory for Fastify': {
    files: { 'server.mjs': FASTIFY, 'app.mjs': BUILDS('') },
    broken: { 'app.mjs': BUILDS(`app.register(async () => { throw new Error('rejected by a plugin') })`) },
    message: 'Error: rejected by a plugin',
    place: /app\.mjs:4:/
  },
  'exits by itself': {
    files: { 'server.mjs': WORKS },
    broken: { 'server.mjs': 'process.exit(3)' },
    message: 'code 3'
  }
}

for (const [what, { files, broken, message, place }] of Object.entries(BOOT)) {
  t.test(`an app that ${what}: the error is answered until it is mended`, async (t) => {
    const app = new DevApp(t, { files, links: ['@mapache/core', '@mapache/fastify', 'fastify'] })
    await app.started()
    const good = await app.get()
    t.equal(good.status, 200)
    const [file = '', text = ''] = Object.entries(broken)[0] ?? []
    const mended = app.files.read(file)
    app.edit(file, text)
    await app.said(/^failed · /m)
    await answersError(t, app, message)
    if (place) t.match(app.output, place)
    t.equal(app.count(/^failed/), 1, app.output)
    t.equal(app.output.split('\n').filter((line) => line.includes(message)).length, 1, app.output)
    // Another save that does not mend it.
    app.files.write(file, `${text}\n// again\n`)
    await until(() => [...app.titles().values()].some((title) => /worker=\d+ gen=3 /.test(title)), 'another try')
    t.equal((await app.get()).status, 500)
    app.edit(file, mended)
    await until(
      async () => (await app.get()).status === 200,
      'the mended app',
      () => app.output
    )
    await app.reloaded()
  })
}

const CRASHES: Record<string, { route: string; message: string }> = {
  'throws in a timer': {
    route: `setTimeout(() => { throw new RangeError('thrown by a timer') }, 0)`,
    message: 'RangeError: thrown by a timer'
  },
  'has a rejection that nobody handles': {
    route: `Promise.reject(new Error('nobody handles this'))`,
    message: 'Error: nobody handles this'
  },
  'ends by process.exit(3)': { route: 'process.exit(3)', message: 'code 3' },
  'is killed': { route: `process.kill(process.pid, 'SIGKILL')`, message: 'SIGKILL' }
}

for (const [what, { route, message }] of Object.entries(CRASHES)) {
  t.test(`an app that ${what} while it serves`, async (t) => {
    const crashes = (version: number) =>
      tells(version).replace('res.end(', `if (req.url === '/crash') return ${route}\n  res.end(`)
    const app = new DevApp(t, { files: { 'server.mjs': crashes(1) } })
    await app.started()
    // Once of what was spawned, once of what was forked or stood by.
    for (const version of [2, 3]) {
      app.begin()
      await app.get('/crash').catch(() => {})
      await app.said(/^failed\n/m)
      await answersError(t, app, message)
      t.equal(app.output.slice(app.from).match(/^failed/gm)?.length, 1)
      await app.change('server.mjs', crashes(version))
      t.equal((await app.ask()).version, version)
    }
    t.equal(app.output.split('\n').filter((line) => line.includes(message)).length, 2, app.output)
  })
}

t.test('SIGHUP starts a crashed app again', async (t) => {
  const app = new DevApp(t, {
    files: { 'server.mjs': tells(1).replace('res.end(', `if (req.url === '/crash') process.exit(1)\n  res.end(`) }
  })
  await app.started()
  await app.get('/crash').catch(() => {})
  await app.said(/^failed/m)
  t.equal((await app.get()).status, 500)
  app.begin()
  app.kill('SIGHUP')
  t.equal(await app.reloaded(), 'r')
  t.equal((await app.ask()).version, 1)
})

/** JSON for whoever takes anything, a page for browsers, on each path; and it stays. */
async function answersError(t: Tap, app: DevApp, message: string): Promise<void> {
  for (const path of ['/', '/any/path?x=1']) {
    const json = await app.get(path, { headers: { accept: '*/*' } })
    t.equal(json.status, 500)
    t.match(json.headers['content-type'], /^application\/json/)
    const { error } = JSON.parse(json.body)
    const told = `${error.name}${error.code ? ` [${error.code}]` : ''}: ${error.message}`
    t.ok(told.includes(message), told)
  }
  const page = await app.get('/', BROWSER)
  t.equal(page.status, 500)
  t.match(page.headers['content-type'], /^text\/html/)
  t.match(page.body, /^<!doctype html>/i)
}
