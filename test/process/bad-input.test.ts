import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import { put } from '../support/deploy.js'
import { type Fixture, start, startCli, type Test } from '../support/fixture.js'

const app = (options: string, listen = '{ port: 0 }', factory = '() => (_req, res) => res.end()') => `
import { mapacheHttp } from '@mapache/core'
mapacheHttp(${factory}, ${options}).listen(${listen})`

/** Runs an entry that must fail. */
async function fails(t: Test & { testdir(): string }, code: string, options = {}): Promise<Fixture> {
  const fixture = start(t, put(path.join(t.testdir(), 'app.mjs'), code), options)
  await fixture.exit()
  return fixture
}

const WRONG: [name: string, code: string, said: RegExp][] = [
  [
    'option',
    app('{ workers: -1 }'),
    /MAPACHE_OPTION_INVALID: workers must be a positive integer, 'auto' or { min, max }, got -1/
  ],
  [
    'name of an option',
    app('{ wrokers: 2 }'),
    /MAPACHE_OPTION_INVALID: wrokers is not an option; did you mean 'workers'\?/
  ],
  [
    'nested option',
    app('{ backoff: { min: "1s" } }'),
    /MAPACHE_OPTION_INVALID: backoff\.min must be .*milliseconds.*, got '1s'/
  ],
  ['module', app('{ modules: [{}] }'), /MAPACHE_MODULE_INVALID: modules\[0\]\.name must be a text, got undefined/],
  ['envFile', app("{ envFile: './none.env' }"), /MAPACHE_ENV_FILE: envFile .*none\.env cannot be read/],
  ['port', app('{}', '{ port: 70000 }'), /MAPACHE_LISTEN_INVALID: .*got port: 70000/],
  [
    'host',
    app('{}', '0, "no.such.host.invalid"'),
    /MAPACHE_ADDRESS_UNAVAILABLE: the host 'no\.such\.host\.invalid' is unknown/
  ],
  [
    'foreign host',
    app('{}', '0, "192.0.2.1"'),
    /MAPACHE_ADDRESS_UNAVAILABLE: cannot listen on 192\.0\.2\.1:0 \(EADDRNOTAVAIL\)/
  ],
  ['path', app('{}', '"/no/such/folder/x.sock"'), /MAPACHE_ADDRESS_(UNAVAILABLE|DENIED): .*x\.sock/],
  ['factory', app('{}', '0', '42'), /MAPACHE_FACTORY_INVALID: .*got 42|the factory.*42/],
  [
    'module of a factory',
    app('{}', '0', '"./gone.mjs"'),
    /MAPACHE_FACTORY_INVALID: the factory's module \.\/gone\.mjs does not exist/
  ],
  [
    'result of a factory',
    app('{}', '0', '() => undefined'),
    /MAPACHE_FACTORY_INVALID: the http factory returned undefined/
  ],
  ['kind of app', app('{}', '0', '() => 42'), /MAPACHE_FACTORY_INVALID: the factory must return a request listener/],
  ['throwing factory', app('{}', '0', "() => { throw new Error('no app') }"), /Error: no app/],
  ['rejecting factory', app('{}', '0', "async () => { throw new Error('no app') }"), /Error: no app/]
]

for (const [name, code, said] of WRONG) {
  t.test(`a wrong ${name} is one clear error, and nothing is left`, async (t) => {
    const fixture = await fails(t, code)
    t.strictSame(await fixture.exit(), { code: 1, signal: null })
    t.match(fixture.output, said)
    t.strictSame(fixture.processes(), [])
    t.strictSame(fixture.leftovers(), [])
  })
}

t.test('the error can be caught, and then the process goes on', async (t) => {
  const code = `${app('{}', '{ port: 70000 }').replace('mapacheHttp(', 'const p = mapacheHttp(')}
await p.catch((error) => console.log('caught', error.code, error.fix))`
  const fixture = await fails(t, code)
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.match(fixture.output, /caught MAPACHE_LISTEN_INVALID Pass what/)
})

t.test('a second listen() is refused, in the supervisor', async (t) => {
  const code = `import { mapacheHttp } from '@mapache/core'
const make = () => mapacheHttp(() => (_req, res) => res.end(), { workers: 1 })
const cluster = await make().listen(0, '127.0.0.1')
if (cluster.role === 'supervisor') {
  await make().listen(0).catch((error) => console.log('second', error.message))
  await cluster.stop()
}`
  const fixture = await fails(t, code)
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.match(fixture.output, /second MAPACHE_ALREADY_LISTENING/)
})

t.test('inside a worker of node:cluster it says so', async (t) => {
  const code = `import cluster from 'node:cluster'
if (cluster.isPrimary) cluster.fork().on('exit', (code) => process.exit(code))
else { ${app('{}').replace(/import .*\n/, '')} }
import { mapacheHttp } from '@mapache/core'`
  const fixture = await fails(t, code)
  t.equal((await fixture.exit()).code, 1)
  t.match(fixture.output, /MAPACHE_IN_CLUSTER: this process is a worker of node:cluster/)
})

t.test('from --eval it asks for a file', async (t) => {
  const code = "import('@mapache/core').then(({ mapacheHttp }) => mapacheHttp(() => () => {}).listen(0))"
  const fixture = start(t, 'unused.mjs', { nodeArgs: ['--eval', code] })
  t.equal((await fixture.exit()).code, 1)
  t.match(fixture.output, /MAPACHE_ENTRY_MISSING/)
})

t.test('the command tells wrong arguments apart from a failed start', async (t) => {
  const entry = put(path.join(t.testdir(), 'app.mjs'), "throw new Error('boom')")
  for (const [args, code, said] of [
    [[], 2, /start needs an entry/],
    [['--workers', '0', entry], 2, /workers must be a positive integer, 'auto' or { min, max }, got 0/],
    [['--nope', entry], 2, /--nope/],
    [['gone.mjs'], 1, /MAPACHE_ENTRY_MISSING: .*gone\.mjs does not exist/],
    [[path.dirname(entry)], 1, /MAPACHE_ENTRY_MISSING: .* is a folder/],
    [[entry], 1, /MAPACHE_BOOT_FAILED[\s\S]*Error: boom/]
  ] as const) {
    const fixture = startCli(t, args)
    t.strictSame(await fixture.exit(), { code, signal: null })
    t.match(fixture.output, said)
  }
})

t.test('where no private folder can be made it says where it tried', async (t) => {
  const long = path.join(t.testdir(), 'x'.repeat(120))
  mkdirSync(long)
  const entry = put(path.join(t.testdir({}), 'app.mjs'), app('{ workers: 1 }', '0, "127.0.0.1"'))
  const fixture = start(t, entry, { env: { XDG_RUNTIME_DIR: long, TMPDIR: long } })
  t.equal((await fixture.exit()).code, 1)
  t.match(fixture.output, /MAPACHE_CHANNEL_FOLDER: .*too long for a socket/)
})

t.test(
  'a socket file that nobody listens behind is replaced; a live one and a plain file are not touched',
  async (t) => {
    const folder = '/tmp'
    const file = path.join(folder, `mp-bad-${process.pid}`)
    const entry = put(path.join(t.testdir(), 'app.mjs'), app('{ workers: 1 }', JSON.stringify(file)))
    writeFileSync(file, 'precious')
    chmodSync(file, 0o600)
    t.teardown(() => import('node:fs').then((fs) => fs.rmSync(file, { force: true })))
    const plain = start(t, entry)
    t.equal((await plain.exit()).code, 1)
    t.match(plain.output, /MAPACHE_ADDRESS_IN_USE: .* exists and is no socket/)
    ;(await import('node:fs')).rmSync(file)
    const server = net.createServer().listen(file)
    const live = start(t, entry)
    t.equal((await live.exit()).code, 1)
    t.match(live.output, /MAPACHE_ADDRESS_IN_USE/)
    await new Promise((resolve) => server.close(resolve))
    const first = start(t, entry)
    await first.serving()
    first.kill('SIGKILL')
    await first.exit()
    const second = start(t, entry)
    await second.serving()
  }
)
