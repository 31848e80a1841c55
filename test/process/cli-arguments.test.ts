import path from 'node:path'
import t from 'tap'
import { Running, seeing } from '../support/cli.js'
import { reload } from '../support/deploy.js'
import { AppFolder } from '../support/dev.js'
import { CLI, FIXTURES, get, ROOT, start, startCli, type Test } from '../support/fixture.js'

const run = (t: Test, ...args: string[]) => new Running(t, args, seeing(path.join(FIXTURES, 'cli'))).ended

t.jobs = 3

t.test('help, of all and of each', async (t) => {
  for (const args of [['help'], ['--help'], ['-h']]) {
    const { code, stdout, stderr } = await run(t, ...args)
    t.equal(code, 0)
    t.match(stdout, /^Usage: mapache .*^Run an app:\n {2}start <entry> .*^Exit codes:\n {2}0 {4}done\n/ms)
    t.equal(stderr, '')
  }
  const none = await run(t)
  t.equal(none.code, 2)
  t.match(none, { stdout: '', stderr: /^Usage: mapache / })
  const same = await Promise.all([run(t, 'help', 'scale'), run(t, 'scale', '--help')])
  t.strictSame(same[0], same[1])
  t.match(same[0], { code: 0, stdout: /^Usage: mapache scale \[options\] <n\|auto>\n/ })
  t.match(await run(t, '--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('wrong arguments end with 2, and say what is wrong', async (t) => {
  const cases: [args: string[], said: RegExp][] = [
    [['relod'], /^mapache: unknown command 'relod'\n\(Did you mean reload\?\)\nSee mapache help\.\n$/],
    [['reload', '--nmae', 'x'], /^mapache: unknown option '--nmae'\n\(Did you mean --name\?\)\n/],
    [['reload', 'now'], /^mapache: too many arguments for 'reload'/],
    [['scale'], /^mapache: missing required argument 'n\|auto'\n/],
    [['scale', '0'], /whole number from 1 up/],
    [['scale', '2.5'], /whole number from 1 up/],
    [['recycle', 'x'], /whole number from 1 up/],
    [['status', '--pid', 'x'], /whole number from 1 up/],
    [['top', '--interval', '1'], /whole number from 100 up/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
    [
      ['start'],
      /^mapache: MAPACHE_OPTION_INVALID: start needs an entry: mapache start server\.js\nSee mapache help\.\n$/
    ],
    [['start', '--boot', 'magic', 'x.js'], /Allowed choices are auto, fork, spawn/],
    [['start', '-w', '-1', 'x.js'], /workers must be a positive integer, 'auto' or { min, max }, got '-1'/],
    [['dev', '--inspect=x', 'x.js'], /--inspect must be \[host:\]port, got x/]
  ]
  const ended = await Promise.all(cases.map(([args]) => run(t, ...args)))
  for (const [index, [args, said]] of cases.entries()) {
    t.match(ended[index], { code: 2, stdout: '', stderr: said }, args.join(' '))
  }
  const { code, stdout } = await run(t, 'scale', 'x', '--json')
  t.equal(code, 2)
  t.match(JSON.parse(stdout), { error: { code: 'MAPACHE_OPTION_INVALID', message: /whole number/ } })
})

const SERVER = `import http from 'node:http'
http.createServer((_req, res) => res.end('served')).listen({ port: 0, host: '127.0.0.1' })`

t.test('a config has the options of the cluster, and flags win over it', async (t) => {
  const app = new AppFolder(t, {
    'server.mjs': SERVER,
    'mapache.config.mjs': `console.log('config in ' + process.pid)
      export default {
        name: 'configured', workers: 3, settle: 20,
        log: { format: 'json', level: 'debug' },
        modules: [{ name: 'greets', on: { listening: () => console.log('module in ' + process.pid) } }]
      }`
  })
  const args = ['-w', '1', '--log-level', 'info', '--config', 'mapache.config.mjs', 'server.mjs']
  const fixture = startCli(t, args, { cwd: app.root })
  t.equal((await get(await fixture.port())).body, 'served')
  await fixture.printed(new RegExp(`^module in ${fixture.pid}$`, 'm'))
  t.match(fixture.output, /name=configured workers=1;/)
  t.equal(fixture.output.match(/^config in /gm)?.length, 1, 'workers do not load it')
  t.ok(fixture.log.every(({ level }) => level >= 30))
})

t.test('a config wins over the options of the app, on a reload too', async (t) => {
  const text = (workers: number) => `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (_req, res) => res.end('served'), { workers: ${workers} }).listen(0, '127.0.0.1')`
  const app = new AppFolder(t, { 'server.mjs': text(3), 'own.config.mjs': 'export default { workers: 2, settle: 20 }' })
  app.link('node_modules/@mapache/core', path.join(ROOT, 'packages/core'))
  const fixture = startCli(t, ['--config', './own.config.mjs', 'server.mjs'], { cwd: app.root })
  await fixture.workersServing(2)
  app.write('server.mjs', text(4))
  t.equal(await reload(fixture), 'done')
  await fixture.workersServing(2)
  t.notMatch(fixture.output, /worker=[5-9]/)
})

t.test('a config that is none is a usage error that names it', async (t) => {
  const app = new AppFolder(t, {
    'server.mjs': SERVER,
    'none.mjs': 'export const workers = 2',
    'function.mjs': 'export default () => ({})',
    'throws.mjs': `throw new Error('no secret here')`,
    'syntax.mjs': 'export default {',
    'wrong.mjs': 'export default { wrokers: 2 }',
    'type.mjs': `export default { settle: '1s' }`,
    'health.mjs': 'export default { health: () => true }'
  })
  const cases: [file: string, said: RegExp][] = [
    ['nowhere.mjs', /--config nowhere\.mjs does not exist\n/],
    ['.', /--config \. is a folder/],
    ['none.mjs', /must have an object of options as its default export, got undefined\n/],
    ['function.mjs', /must have an object of options as its default export/],
    ['throws.mjs', /cannot be loaded:\nError: no secret here\n +at file:.*throws\.mjs:1:7/],
    ['syntax.mjs', /cannot be loaded:\n.*syntax\.mjs:1/s],
    ['wrong.mjs', /--config wrong\.mjs is wrong: wrokers is not an option; did you mean 'workers'\?\n/],
    ['health.mjs', /--config health\.mjs is wrong: health runs in the workers/],
    ['type.mjs', /--config type\.mjs is wrong: settle must be a whole number of milliseconds/]
  ]
  const starts = cases.map(([file]) => {
    return new Running(t, ['start', '--config', file, 'server.mjs'], seeing(app.root), app.root).ended
  })
  const ended = await Promise.all(starts)
  for (const [index, [file, said]] of cases.entries()) {
    t.match(ended[index], { code: 2, stdout: '', stderr: said }, file)
  }
})

t.test('a start loads neither what draws nor what development needs', async (t) => {
  const app = new AppFolder(t, { 'server.mjs': SERVER })
  const nodeArgs = ['--import', path.join(FIXTURES, 'cli/loaded.mjs')]
  const fixture = start(t, CLI, { nodeArgs, args: ['start', '-w', '1', app.path('server.mjs')] })
  await fixture.serving()
  const loaded = [...fixture.output.matchAll(/^loads (.*)$/gm)].map(([, url]) => url as string)
  t.ok(loaded.some((url) => url.endsWith('/cli/dist/start.js')))
  t.strictSame(
    loaded.filter((url) => /log-update|string-width|chokidar|\/dev\/dist|\/top\/|operator/.test(url)),
    []
  )
})
