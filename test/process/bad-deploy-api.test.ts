import { realpathSync, rmSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { point, put, Watch } from '../support/deploy.js'
import { FIXTURES, type Test } from '../support/fixture.js'
import { Life, type Told } from '../support/life.js'

const FIXTURE = `file://${FIXTURES}/life/recorder.mjs`
const serve = (version: string, more = '') => `export default () => {
  ${more}
  return (_req, res) => res.end('${version}')
}`

/** Code that does something soon after its process has begun to serve. */
const soon = (code: string) => `setInterval(() => {
    if (process.getActiveResourcesInfo().includes('TCPServerWrap')) setTimeout(() => { ${code} }, 20)
  }, 10)`

/** An entry that takes its factory from a file beside it, in the workers: what a deploy changes is that file. */
const MAIN: Record<string, string> = {
  function: `import { mapacheHttp } from '@mapache/core'
import { recorder } from '${FIXTURE}'
const options = { ...JSON.parse(process.env.OPTIONS), modules: [recorder()] }
const file = new URL('app.mjs', import.meta.url)
await mapacheHttp(async () => (await import(file)).default(), options).listen(0, '127.0.0.1')`,
  module: `import { mapacheHttp } from '@mapache/core'
import { recorder } from '${FIXTURE}'
const options = { ...JSON.parse(process.env.OPTIONS), modules: [recorder()] }
await mapacheHttp('./app.mjs', options).listen(0, '127.0.0.1')`,
  register: `import mapache from '@mapache/fastify'
import Fastify from 'fastify'
import { recorder } from '${FIXTURE}'
const app = Fastify({ pluginTimeout: 0 })
app.register(mapache, { ...JSON.parse(process.env.OPTIONS), modules: [recorder()] })
app.register(async (app) => {
  const handle = await (await import(new URL('app.mjs', import.meta.url))).default()
  app.get('/', (req, reply) => { reply.hijack(); handle(req.raw, reply.raw) })
})
await app.listen({ port: 0, host: '127.0.0.1' })`
}

const BAD: [name: string, app: string, code: string, phase: string, cause: object][] = [
  [
    'throws at import',
    "throw new RangeError('no database')",
    'MAPACHE_BOOT_FAILED',
    'boot',
    { name: 'RangeError', message: 'no database', stack: /RangeError: no database\n +at file:.*app\.mjs:1/ }
  ],
  ['has a syntax error', 'const x = ;', 'MAPACHE_BOOT_FAILED', 'boot', { name: 'SyntaxError' }],
  [
    'rejects in its factory',
    "export default async () => { throw new Error('no app', { cause: new Error('no table') }) }",
    'MAPACHE_BOOT_FAILED',
    'boot',
    { message: 'no app', stack: /at .*app\.mjs:1/, cause: { message: 'no table', stack: /app\.mjs:1/ } }
  ],
  [
    'throws no error',
    "export default () => { throw { odd: 'thing' } }",
    'MAPACHE_BOOT_FAILED',
    'boot',
    { message: /odd: 'thing'/ }
  ],
  [
    'hangs in boot',
    'export default () => new Promise(() => setInterval(() => {}, 1000))',
    'MAPACHE_BOOT_TIMEOUT',
    'boot',
    { message: /not ready after 5000 ms/ }
  ],
  [
    'exits within settle',
    serve('bad', soon('process.exit(3)')),
    'MAPACHE_SETTLE_FAILED',
    'settle',
    { message: /exited with code 3/ }
  ],
  [
    'throws within settle',
    serve('bad', soon("throw new Error('late')")),
    'MAPACHE_SETTLE_FAILED',
    'settle',
    { message: 'late', stack: /app\.mjs:\d/ }
  ],
  [
    'is killed within settle',
    serve('bad', soon("process.kill(process.pid, 'SIGKILL')")),
    'MAPACHE_SETTLE_FAILED',
    'settle',
    { message: /was ended by SIGKILL/ }
  ],
  [
    'leaves within settle',
    serve('bad', soon("process.kill(process.pid, 'SIGTERM')")),
    'MAPACHE_SETTLE_FAILED',
    'settle',
    { message: /exited with code 0/ }
  ]
]

function startMain(
  t: Test & { testdir(): string },
  form: string,
  options: object = {}
): { life: Life; folder: string } {
  const folder = t.testdir()
  const script = put(path.join(folder, 'main.mjs'), MAIN[form] as string)
  put(path.join(folder, 'app.mjs'), serve('v0'))
  const all = { workers: 2, settle: 700, bootTimeout: 5_000, ...options }
  return { folder, life: new Life(t, { script, cwd: folder, options: all }) }
}

t.jobs = 3
for (const form of Object.keys(MAIN)) {
  t.test(`${form}: a bad deploy rejects with the reason, and the old workers never stop answering`, async (t) => {
    const { life, folder } = startMain(t, form)
    const file = path.join(folder, 'app.mjs')
    const watch = new Watch(t, await life.port(), 'v0', 'bad')
    await life.workersServing(2)
    let generation = 1
    let version = 0
    for (const [round, [name, app, code, phase, cause]] of BAD.entries()) {
      const { workers } = life
      put(file, app)
      generation += 1
      const error = await life.call('reload').then(
        () => t.fail(`code that ${name} was taken for good`),
        (error: Told) => error
      )
      t.match(error, { name: 'MapacheError', code, phase, cause }, `code that ${name}`)
      const { data, status } = await life.event('reload:failed', round + 1)
      t.match(data, { generation, phase, error: { code, phase, cause } }, 'the event says the same')
      t.equal(status.serving, 2, 'with the old workers serving')
      t.strictSame(status.roll, undefined)
      t.strictSame(
        life.workers.filter((pid) => workers.includes(pid)),
        workers,
        'no old worker went'
      )
      await watch.more(3)
      // A worker that dies within settle takes with it what it holds.
      if (phase === 'settle') watch.wrong = watch.wrong.filter((one) => !/ECONNRESET|socket hang up/.test(one))
      if (round % 4 !== 0) continue
      generation += 1
      version += 1
      put(file, serve(`v${version}`))
      watch.allowed = [`v${version - 1}`, `v${version}`, 'bad']
      t.match(await life.call('reload'), { generation }, 'the next good deploy works')
    }
    await watch.more(3)
    t.strictSame(await watch.stop(), [])
  })
}

t.test('a later worker of the roll that does not boot brings the old generation back', async (t) => {
  const folder = realpathSync(t.testdir())
  const first = `import { writeFileSync } from 'node:fs'
try { writeFileSync(new URL('first', import.meta.url), '', { flag: 'wx' }) } catch { throw new Error('only one may run') }`
  const apps = { old: serve('old'), bad: `${first}\n${serve('bad')}`, good: serve('good') }
  for (const [release, app] of Object.entries(apps)) put(path.join(folder, release, 'app.mjs'), app)
  const current = path.join(folder, 'current')
  point(current, path.join(folder, 'old'))
  const script = put(path.join(folder, 'main.mjs'), MAIN.module as string)
  const life = new Life(t, { script, cwd: current, env: { PWD: current }, options: { workers: 3, settle: 50 } })
  const watch = new Watch(t, await life.port(), 'old', 'bad')
  await life.workersServing(3)
  point(current, path.join(folder, 'bad'))
  await t.rejects(life.call('reload'), {
    code: 'MAPACHE_BOOT_FAILED',
    phase: 'roll',
    cause: { message: 'only one may run', stack: /bad\/app\.mjs:2/ }
  })
  t.match((await life.event('reload:failed')).data, { phase: 'roll', error: { phase: 'roll' } })
  // The one that did boot retires when the old generation is whole again.
  await life.printed(/gen=2 pid=\d+ exited \(reload/)
  for (const { name, status } of await life.events()) {
    if (status.roll) t.ok(status.serving >= 3, `at ${name}: ${status.serving} of 3 serve`)
  }
  t.strictSame(
    (await life.status()).processes.map(({ generation, state }) => `${generation} ${state}`),
    [...Array(3).fill('1 serving')]
  )
  watch.allowed = ['old']
  await watch.more(10)
  point(current, path.join(folder, 'good'))
  watch.allowed = ['old', 'good']
  t.match(await life.call('reload'), { generation: 3 })
  await watch.more(5)
  t.strictSame(await watch.stop(), [])
})

t.test('an entry or an envFile that is gone fails in phase prepare', async (t) => {
  const { life, folder } = startMain(t, 'module', { envFile: 'app.env' })
  // Without it there is not even a start.
  t.strictSame(await life.exit(), { code: 1, signal: null })
  t.match(life.output, /MAPACHE_ENV_FILE: envFile .*app\.env cannot be read/)
  put(path.join(folder, 'app.env'), 'A=1')
  const options = { workers: 2, settle: 50, envFile: 'app.env' }
  const again = new Life(t, { script: path.join(folder, 'main.mjs'), cwd: folder, options })
  const watch = new Watch(t, await again.port(), 'v0')
  const pids = await again.workersServing(2)
  for (const [file, code] of [
    ['app.env', 'MAPACHE_ENV_FILE'],
    ['app.mjs', 'MAPACHE_ENTRY_MISSING']
  ] as const) {
    rmSync(path.join(folder, file))
    await t.rejects(again.call('reload'), { code, phase: 'prepare', message: new RegExp(file) })
    put(path.join(folder, file), file === 'app.env' ? 'A=2' : serve('v0'))
    t.strictSame(again.workers, pids)
  }
  t.strictSame(
    (await again.events()).filter(({ name }) => name === 'reload:failed').map(({ data }) => data.phase),
    ['prepare', 'prepare']
  )
  t.match(await again.call('reload'), { generation: 4 })
  await watch.more(5)
  t.strictSame(await watch.stop(), [])
})

t.test('a waiting reload is carried out after one that failed', async (t) => {
  const { life, folder } = startMain(t, 'module', { bootTimeout: 30_000 })
  const file = path.join(folder, 'app.mjs')
  const held = path.join(folder, 'held')
  await life.workersServing(2)
  put(file, `import { existsSync } from 'node:fs'\nwhile (!existsSync('${held}'));\nthrow new Error('bad at last')`)
  const first = life.call('reload')
  const failed = t.rejects(first, { code: 'MAPACHE_BOOT_FAILED', cause: { message: 'bad at last' } })
  await life.printed(/called reload/)
  await life.event('worker:launch', 3)
  const second = life.call('reload')
  await life.printed(/called reload[\s\S]*called reload/)
  // The first one has read its entry only if it waits in it.
  t.notMatch(life.output, /reload failed/)
  put(held, '')
  await failed
  await t.rejects(second, { code: 'MAPACHE_BOOT_FAILED', message: /generation 3/ })
  put(file, serve('v1'))
  t.match(await life.call('reload'), { generation: 4 })
})
