import { realpathSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { point, put, reload } from '../support/deploy.js'
import { CLI, type Fixture, type FixtureOptions, get, start, type Test } from '../support/fixture.js'

const HTTP = `import http from 'node:http'
const app = http.createServer((_req, res) => res.end(JSON.stringify({
  version: 'VERSION', file: import.meta.filename, cwd: process.cwd(), pid: process.pid, flavour: process.env.FLAVOUR
})))`
const LISTEN = "{ port: 0, host: '127.0.0.1' }"

/** The app of a release, in each form: what is at current/app.mjs, and what is run. */
const FORMS: Record<string, { app: string; run: (current: string) => [script: string, args: string[]] }> = {
  'mapache start': {
    app: `${HTTP}\napp.listen(${LISTEN})`,
    run: (current) => [CLI, ['start', '-w', '1', '--settle', '50', path.join(current, 'app.mjs')]]
  },
  'mapache start with a relative path': {
    app: `${HTTP}\napp.listen(${LISTEN})`,
    run: () => [CLI, ['start', '-w', '1', '--settle', '50', 'app.mjs']]
  },
  function: {
    app: `import { mapacheHttp } from '@mapache/core'
${HTTP}
await mapacheHttp(() => app, { workers: 1, settle: 50 }).listen(${LISTEN})`,
    run: (current) => [path.join(current, 'app.mjs'), []]
  },
  module: {
    app: `${HTTP}\nexport default () => app`,
    run: (current) => [path.join(path.dirname(current), 'main.mjs'), [path.join(current, 'app.mjs')]]
  },
  'module with a relative path': {
    app: `${HTTP}\nexport default () => app`,
    run: (current) => [path.join(path.dirname(current), 'main.mjs'), ['./app.mjs']]
  },
  register: {
    app: `import mapache from '@mapache/fastify'
import Fastify from 'fastify'
const app = Fastify()
app.register(mapache, { workers: 1, settle: 50 })
app.get('/', async () => ({
  version: 'VERSION', file: import.meta.filename, cwd: process.cwd(), pid: process.pid, flavour: process.env.FLAVOUR
}))
await app.listen(${LISTEN})`,
    run: (current) => [path.join(current, 'app.mjs'), []]
  }
}

const MAIN = `import { mapacheHttp } from '@mapache/core'
await mapacheHttp(process.argv[2], { workers: 1, settle: 50 }).listen(${LISTEN})`

interface Said {
  version: string
  file: string
  cwd: string
  pid: number
  flavour?: string
}

async function ask(fixture: Fixture): Promise<Said> {
  return JSON.parse((await get(await fixture.port())).body)
}

/** Kills the one worker and waits for the next. */
async function replace(fixture: Fixture): Promise<void> {
  const [pid] = await fixture.workersServing(1)
  const from = fixture.output.length
  process.kill(pid as number, 'SIGKILL')
  await fixture.printed(/pid=\d+ serving/, from)
}

/** Starts the app of release 1 through a symlink, from a working directory that is named through it as well. */
function startRelease(t: Test, folder: string, form: string, options: FixtureOptions = {}) {
  const { app, run } = FORMS[form] as (typeof FORMS)[string]
  const releases = [1, 2, 3].map((n) => {
    return path.dirname(put(path.join(folder, `releases/${n}/app.mjs`), app.replace('VERSION', `v${n}`)))
  })
  put(path.join(folder, 'main.mjs'), MAIN)
  const current = path.join(folder, 'current')
  point(current, releases[0] as string)
  const [script, args] = run(current)
  const env = { PWD: current, ...options.env }
  return { current, releases, fixture: start(t, script, { ...options, cwd: current, args, env }) }
}

t.jobs = 2
for (const form of Object.keys(FORMS)) {
  t.test(`${form}: a generation is pinned to the release that its symlink showed`, async (t) => {
    // Real, because the temp folder of the test may itself be a symlink.
    const { current, releases, fixture } = startRelease(t, realpathSync(t.testdir()), form)
    const [one, two, three] = releases as [string, string, string]
    const is = async (version: string, release: string) =>
      t.match(await ask(fixture), { version, file: path.join(release, 'app.mjs'), cwd: release })
    await is('v1', one)
    point(current, two)
    // Its replacement boots the old path: nobody has asked for the new release.
    await replace(fixture)
    await is('v1', one)
    t.equal(await reload(fixture), 'done')
    await is('v2', two)
    point(current, three)
    await replace(fixture)
    await is('v2', two)
    t.equal(await reload(fixture), 'done')
    await is('v3', three)
    // And back again.
    point(current, one)
    t.equal(await reload(fixture), 'done')
    await is('v1', one)
  })
}

t.test('envFile is read anew for each generation, and held for it; what the environment has, wins', async (t) => {
  const folder = realpathSync(t.testdir())
  const app = `import { mapacheHttp } from '@mapache/core'
await mapacheHttp(() => (_req, res) => {
  const { FLAVOUR, SIZE, SHAPE } = process.env
  res.end(JSON.stringify({ FLAVOUR, SIZE, SHAPE }))
}, { workers: 1, settle: 50, envFile: 'app.env' }).listen(${LISTEN})`
  const env = put(path.join(folder, 'app.env'), 'FLAVOUR=red\nSIZE="two words"\nSHAPE=file')
  const fixture = start(t, put(path.join(folder, 'app.mjs'), app), { cwd: folder, env: { SHAPE: 'environment' } })
  const said = async () => JSON.parse((await get(await fixture.port())).body)
  t.strictSame(await said(), { FLAVOUR: 'red', SIZE: 'two words', SHAPE: 'environment' })
  put(env, 'FLAVOUR=blue')
  await replace(fixture)
  t.strictSame(
    await said(),
    { FLAVOUR: 'red', SIZE: 'two words', SHAPE: 'environment' },
    'a replacement has the old ones'
  )
  t.equal(await reload(fixture), 'done')
  t.strictSame(await said(), { FLAVOUR: 'blue', SHAPE: 'environment' })
})

t.test('envFile belongs to the release, too', async (t) => {
  const folder = realpathSync(t.testdir())
  const { current, releases, fixture } = (() => {
    FORMS.withEnv = {
      app: (FORMS.function as (typeof FORMS)[string]).app.replace('settle: 50', "settle: 50, envFile: 'app.env'"),
      run: (current) => [path.join(current, 'app.mjs'), []]
    }
    for (const n of [1, 2]) put(path.join(folder, `releases/${n}/app.env`), `FLAVOUR=c${n}`)
    return startRelease(t, folder, 'withEnv')
  })()
  t.match(await ask(fixture), { version: 'v1', flavour: 'c1' })
  point(current, releases[1] as string)
  await replace(fixture)
  t.match(await ask(fixture), { version: 'v1', flavour: 'c1' })
  t.equal(await reload(fixture), 'done')
  t.match(await ask(fixture), { version: 'v2', flavour: 'c2' })
})
