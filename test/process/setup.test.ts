import path from 'node:path'
import t from 'tap'
import { put, reload, Watch } from '../support/deploy.js'
import { type Fixture, type FixtureOptions, get, isRunning, start, startCli, type Test } from '../support/fixture.js'

t.jobs = 3

type Folder = Test & { testdir(): string; testdirName: string }

/** A set-up that says when it begins and ends; what it does meanwhile is given. */
function task(does = '', name = 'set up'): string {
  return `async ({ generation, signal, log }) => {
    console.log('${name} begins', generation, process.pid)
    ${does}
    console.log('${name} ends', generation, process.pid)
  }`
}

function app(options: string, answer = 'app'): string {
  return `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (req, res) => res.end('${answer}'), {
      workers: 2, settle: 50, name: process.env.NAME, ${options}
    }).listen(0, '127.0.0.1')
    console.log('after listen', process.pid)`
}

/** Starts an app whose name is its own, so that it has the lock for itself. */
function run(t: Folder, options: string, rest: FixtureOptions = {}): Fixture {
  const entry = put(path.join(t.testdir(), 'app.mjs'), app(options))
  // The lock of one that is killed stays where it is.
  const own = { NAME: nameOf(t), TMPDIR: t.testdirName }
  return start(t, entry, { cwd: t.testdirName, ...rest, env: { ...own, ...rest.env } })
}

const nameOf = (t: Folder) => `setup-${process.pid}-${path.basename(t.testdirName)}`.slice(0, 90)

/** What set-ups and teardowns printed, in order. */
function life(fixture: Fixture): string[] {
  return [...fixture.output.matchAll(/^((?:set up|torn down) (?:begins|ends) \d+) \d+$/gm)].map(([, text = '']) => text)
}

/** Reloads. @returns the message of the failure, or undefined */
async function failure(fixture: Fixture): Promise<string | undefined> {
  const from = fixture.output.length
  const phase = await reload(fixture)
  return phase === 'done' ? undefined : /reload failed[^\n]*?"/.exec(fixture.output.slice(from))?.[0]
}

t.test('it runs once before the first worker, and before the first one of each reload', async (t) => {
  const fixture = run(t, `setup: ${task()}, teardown: ${task('', 'torn down')}`)
  await fixture.workersServing(2)
  t.strictSame(life(fixture), ['set up begins 1', 'set up ends 1'])
  const begun = fixture.output.indexOf('set up ends')
  t.ok(begun < fixture.output.search(/worker=\d+ gen=1 .*serving/), 'no worker serves before it has ended')
  const [, pid = ''] = /set up begins 1 (\d+)/.exec(fixture.output) ?? []
  t.notMatch(fixture.output, new RegExp(`after listen ${pid}`), 'nothing behind listen is for its process')
  t.match(fixture.output, new RegExp(`setup gen=1 pid=${pid} done after \\d+ ms`))

  process.kill(fixture.workers[0] as number, 'SIGKILL')
  await fixture.printed(/ended \(crash, SIGKILL\)/)
  await fixture.workersServing(2)
  t.equal(await reload(fixture), 'done')
  t.strictSame(life(fixture).slice(2), ['set up begins 2', 'set up ends 2'], 'a crash runs none')

  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(life(fixture).slice(4), ['torn down begins 2', 'torn down ends 2'])
  t.ok(fixture.output.lastIndexOf('exited (stop)') < fixture.output.indexOf('torn down'), 'when the workers are gone')
  t.strictSame(fixture.processes(), [])
  t.strictSame(fixture.leftovers(), [])
})

t.test('its failure fails the start at once, with its own error', async (t) => {
  const fixture = run(t, `setup: ${task("throw new TypeError('no database')")}, teardown: ${task('', 'torn down')}`)
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  t.strictSame(life(fixture), ['set up begins 1'], 'and is not tried again; what has not served is not torn down')
  t.match(fixture.output, 'MAPACHE_SETUP_FAILED: the setup of generation 1 failed: TypeError: no database')
  t.match(fixture.output, /TypeError\]?: no database\n +at setup \(file:.*app\.mjs:5:/)
  t.notMatch(fixture.output, /after listen|pid=\d+ serving/)
  t.strictSame(fixture.processes(), [])
  t.strictSame(fixture.leftovers(), [])
})

for (const [how, does, said] of [
  ['exits', 'process.exit(0)', /it exited with code 0 before it was done: process\.exit\(\) was called/],
  ['is killed', "process.kill(process.pid, 'SIGKILL')", /it was ended by SIGKILL before it was done/],
  [
    'throws in a callback',
    "setTimeout(() => { throw new Error('late') }); await new Promise(() => {})",
    /failed: late/
  ],
  [
    'never ends, and nothing is left to wait for',
    'await new Promise(() => {})',
    /not done within setupTimeout, which is 1500 ms/
  ],
  ['blocks its loop', 'for (;;);', /not done within setupTimeout, which is 1500 ms/]
] as const) {
  t.test(`a setup that ${how} has failed`, async (t) => {
    const limit = how.startsWith('never') || how.startsWith('blocks') ? 'setupTimeout: 1500, ' : ''
    const fixture = run(t, `${limit}setup: ${task(does)}`)
    t.strictSame(await fixture.exit(), { code: 1, signal: null })
    t.match(fixture.output, said)
    t.strictSame(life(fixture), ['set up begins 1'])
    t.strictSame(fixture.processes(), [])
  })
}

t.test('when its time is over it can end in good order', async (t) => {
  const ends =
    "await new Promise((resolve) => signal.addEventListener('abort', resolve)); console.log('cleared up'); throw signal.reason"
  const fixture = run(t, `setupTimeout: 1500, setup: ${task(ends)}`)
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  t.match(fixture.output, 'cleared up')
  t.match(fixture.output, /not done within setupTimeout, which is 1500 ms/)
})

t.test('its failure fails a reload, and the old workers serve on', async (t) => {
  const fixture = run(t, `setup: ${task()}`)
  await fixture.workersServing(2)
  const port = await fixture.port()
  const watch = new Watch(t, port, 'app')
  const entry = path.join(t.testdirName, 'app.mjs')
  put(entry, app(`setup: ${task("throw new Error('no such column')")}`, 'new'))
  t.match(
    await failure(fixture),
    /\(setup\); gen=1 serves on: MAPACHE_SETUP_FAILED: .* generation 2 failed: no such column/
  )
  await watch.more(5)
  t.strictSame(await watch.stop(), [])
  put(entry, app('', 'new'))
  t.equal(await reload(fixture), 'done', 'code that has none any more')
  t.match(fixture.output, /setup gen=3 pid=\d+: the code brings none/)
  t.equal((await get(port)).body, 'new')
  put(entry, app(`setup: ${task()}`, 'newer'))
  t.equal(await reload(fixture), 'done', 'and code that has one again')
  t.match(fixture.output, /gen=4 brings a setup, which runs first/)
  t.equal(life(fixture).at(-1), 'set up ends 4')
  t.equal((await get(port)).body, 'newer')
})

t.test('a stop ends it in good order', async (t) => {
  const waits = "await new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 100)))"
  const fixture = run(t, `setup: ${task(waits)}`)
  await fixture.printed(/set up begins 1/)
  fixture.kill('SIGTERM')
  await fixture.exit()
  t.strictSame(life(fixture), ['set up begins 1', 'set up ends 1'])
  t.notMatch(fixture.output, /serving|SETUP_FAILED/)
  t.strictSame(fixture.processes(), [])
})

t.test('in a stop it has drainTimeout and no longer', async (t) => {
  const fixture = run(
    t,
    `drainTimeout: 200, setup: ${task('await new Promise((resolve) => setTimeout(resolve, 60_000))')}`
  )
  await fixture.printed(/set up begins 1/)
  fixture.kill('SIGTERM')
  await fixture.exit()
  t.strictSame(life(fixture), ['set up begins 1'])
  t.strictSame(fixture.processes(), [])
})

t.test('without its supervisor it is told to end', async (t) => {
  const waits = "await new Promise((resolve) => signal.addEventListener('abort', resolve))"
  const fixture = run(t, `setup: ${task(waits)}`)
  await fixture.printed(/set up begins 1/)
  fixture.kill('SIGKILL')
  await fixture.printed(/set up ends 1/)
  await fixture.gone()
})

t.test('a teardown that fails makes the exit code 1', async (t) => {
  const fixture = run(t, `teardown: ${task("throw new Error('not let go')", 'torn down')}`)
  await fixture.workersServing(2)
  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  t.match(fixture.output, 'MAPACHE_TEARDOWN_FAILED: the teardown failed: not let go')
  t.match(fixture.output, '"msg":"stopped"')
})

t.test('a stop now has no teardown, and cuts one that runs', async (t) => {
  const never = task('await new Promise((resolve) => setTimeout(resolve, 60_000))', 'torn down')
  const fixture = run(t, `teardown: ${never}`)
  await fixture.workersServing(2)
  fixture.kill('SIGINT')
  const [, pid] = await fixture.printed(/torn down begins 1 (\d+)/)
  fixture.kill('SIGINT')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.equal(isRunning(Number(pid)), false)

  const other = start(t, path.join(t.testdirName, 'app.mjs'), { env: { NAME: nameOf(t) } })
  await other.workersServing(2)
  other.kill('SIGQUIT')
  await other.exit()
  t.strictSame(life(other), [])
})

t.test('envFile is read for it, and events tell of it', async (t) => {
  const options = `envFile: 'env', setup: () => console.log('table', process.env.TABLE), modules: [{ name: 'tells', on: {
    'setup:start': ({ generation }) => console.log('event start', generation),
    'setup:done': ({ generation, duration }) => console.log('event done', generation, duration > 0),
    'setup:failed': ({ generation, error }) => console.log('event failed', generation, error.code, error.cause.message)
  } }]`
  put(path.join(t.testdir(), 'env'), 'TABLE=users\n')
  const entry = put(path.join(t.testdirName, 'app.mjs'), app(options))
  const fixture = start(t, entry, { cwd: t.testdirName, env: { NAME: nameOf(t) } })
  await fixture.workersServing(2)
  await fixture.printed(/event start 1\n(.*\n)*table users\n(.*\n)*event done 1 true/)
  put(entry, app("setup: () => { throw new Error('no') }"))
  t.equal(await reload(fixture), 'setup')
  await fixture.printed(/event failed 2 MAPACHE_SETUP_FAILED no/)
})

t.test('mapache start: a setup of the entry, which the supervisor does not load', async (t) => {
  const entry = put(path.join(t.testdir(), 'app.mjs'), app(`setup: ${task()}, teardown: ${task('', 'torn down')}`))
  const fixture = startCli(t, ['-w', '2', '--name', nameOf(t), entry], { cwd: t.testdirName })
  await fixture.workersServing(2)
  t.strictSame(life(fixture), ['set up begins 1', 'set up ends 1'])
  t.equal(await reload(fixture), 'done')
  t.strictSame(life(fixture).slice(2), ['set up begins 2', 'set up ends 2'])
  fixture.kill('SIGTERM')
  await fixture.exit()
  t.equal(life(fixture).at(-1), 'torn down ends 2')
})

t.test('mapache start --setup and --teardown, for an entry that knows nothing of Mapache', async (t) => {
  const folder = t.testdir()
  put(path.join(folder, 'migrate.mjs'), `export default ${task()}`)
  put(path.join(folder, 'clear.cjs'), `module.exports = ${task('', 'torn down')}`)
  put(
    path.join(folder, 'app.mjs'),
    "import http from 'node:http'\nhttp.createServer((_, res) => res.end('x')).listen(0)"
  )
  const args = [
    '-w',
    '1',
    '--settle',
    '50',
    '--name',
    nameOf(t),
    '--setup',
    'migrate.mjs',
    '--teardown',
    './clear.cjs',
    'app.mjs'
  ]
  const fixture = startCli(t, args, { cwd: folder })
  await fixture.workersServing(1)
  put(path.join(folder, 'migrate.mjs'), 'export const nothing = 1')
  t.match(
    await failure(fixture),
    /MAPACHE_SETUP_INVALID: .*migrate\.mjs must export a function as default, got undefined/
  )
  put(path.join(folder, 'migrate.mjs'), `export default ${task()}`)
  t.equal(await reload(fixture), 'done')
  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(
    life(fixture),
    [1, 3].flatMap((n) => [`set up begins ${n}`, `set up ends ${n}`]).concat('torn down begins 3', 'torn down ends 3')
  )
})

t.test('a function cannot come from the config, and a module must be there', async (t) => {
  const folder = t.testdir()
  put(path.join(folder, 'app.mjs'), '')
  put(path.join(folder, 'config.mjs'), 'export default { setup: () => {} }')
  const config = startCli(t, ['--config', 'config.mjs', 'app.mjs'], { cwd: folder })
  t.equal((await config.exit()).code, 2)
  t.match(
    config.output,
    'setup: the function cannot reach the process that runs it from here; give the path of a module'
  )
  const missing = startCli(t, ['--setup', 'nope.mjs', 'app.mjs'], { cwd: folder })
  t.equal((await missing.exit()).code, 1)
  t.match(missing.output, 'MAPACHE_ENTRY_MISSING: setup: nope.mjs does not exist')
})

t.test('mapache reload prints the error of the setup, and ends with 1', async (t) => {
  const fixture = run(t, `setup: ${task()}`)
  await fixture.workersServing(2)
  put(path.join(t.testdirName, 'app.mjs'), app(`setup: ${task("throw new RangeError('too many columns')")}`))
  const { CLI, before } = await import('../support/fixture.js')
  const { execFile } = await import('node:child_process')
  const env = { ...process.env, XDG_RUNTIME_DIR: fixture.folder, RUNTIME_DIRECTORY: undefined }
  const ran = new Promise<{ code: unknown; text: string }>((resolve) => {
    execFile(
      process.execPath,
      [CLI, 'reload', '--pid', String(fixture.pid)],
      { env: env as NodeJS.ProcessEnv },
      (error, stdout, stderr) => {
        resolve({ code: error?.code, text: stdout + stderr })
      }
    )
  })
  const { code, text } = await before(ran, () => 'mapache reload')
  t.equal(code, 1)
  t.match(text, 'the setup of generation 2 runs')
  t.match(text, /RangeError(\]?): too many columns\n +at .*app\.mjs/)
})
