import { rmSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { point, put, reload, versionApp, Watch } from '../support/deploy.js'
import { startCli } from '../support/fixture.js'

const BAD: [name: string, code: string | undefined, phase: string, said: RegExp][] = [
  ['throws at import', "throw new Error('no database')", 'boot', /Error: no database\\n {4}at file:.*app\.mjs:1/],
  ['has a syntax error', 'const x = ;', 'boot', /SyntaxError: Unexpected token ';'/],
  ['lacks a module', "import './gone.mjs'", 'boot', /Cannot find module .*gone\.mjs/],
  ['rejects a top-level await', "await Promise.reject(new TypeError('nope'))", 'boot', /TypeError: nope/],
  ['never settles a top-level await', 'await new Promise(() => {})', 'boot', /top-level await was never settled/],
  ['ends without listening', 'console.log(1)', 'boot', /came to its end without listening/],
  ['exits in boot', 'process.exit(7)', 'boot', /exited with code 7/],
  ['hangs in boot', 'setInterval(() => {}, 1000)', 'boot', /MAPACHE_BOOT_TIMEOUT/],
  ['blocks in boot', 'for (;;);', 'boot', /MAPACHE_BOOT_TIMEOUT/],
  ['exits within settle', versionApp('bad', 'setTimeout(() => process.exit(3), 50)'), 'settle', /exited with code 3/],
  ['throws within settle', versionApp('bad', "setTimeout(() => { throw new Error('late') }, 50)"), 'settle', /late/],
  [
    'dies by a signal',
    versionApp('bad', "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50)"),
    'settle',
    /SIGKILL/
  ],
  ['is gone', undefined, 'prepare', /MAPACHE_ENTRY_MISSING/]
]

t.test('a bad deploy changes nothing that serves, says why, and the next good one works', async (t) => {
  const folder = t.testdir()
  const entry = put(path.join(folder, 'app.mjs'), versionApp('v0'))
  const flags = ['-w', '2', '--settle', '300', '--boot-timeout', '4000']
  const fixture = startCli(t, [...flags, entry])
  const port = await fixture.port()
  await fixture.workersServing(2)
  const watch = new Watch(t, port, 'v0')
  let version = 0
  for (const [name, code, phase, said] of BAD) {
    const from = fixture.output.length
    const workers = fixture.workers
    if (code === undefined) rmSync(entry)
    else put(entry, code)
    // A worker that served within settle answered, too: until it died it was as good as any.
    watch.allowed.push('bad')
    t.equal(await reload(fixture), phase, `code that ${name} fails in phase ${phase}`)
    t.match(fixture.output.slice(from), said, `and the log says why`)
    t.strictSame(
      fixture.workers.filter((pid) => workers.includes(pid)),
      workers,
      'the old workers serve on'
    )
    await watch.more(5)
    // A worker that dies takes with it what it holds.
    if (phase === 'settle') watch.wrong = watch.wrong.filter((one) => !/ECONNRESET|socket hang up/.test(one))
    version += 1
    watch.allowed = [`v${version - 1}`, `v${version}`, 'bad']
    put(entry, versionApp(`v${version}`))
    t.equal(await reload(fixture), 'done', 'the next good deploy works')
    await watch.more(5)
  }
  t.strictSame(await watch.stop(), [], 'and nothing was lost')
})

t.test('a later worker of the roll that does not boot brings the old generation back', async (t) => {
  const folder = t.testdir()
  const old = put(path.join(folder, 'releases/1/app.mjs'), versionApp('old'))
  const once = `import fs from 'node:fs'
fs.writeFileSync(new URL('./' + process.pid, import.meta.url), '')
if (fs.readdirSync(new URL('.', import.meta.url)).length > 2) throw new Error('only one may run')`
  const bad = put(path.join(folder, 'releases/2/app.mjs'), `${once}\n${versionApp('new')}`)
  point(path.join(folder, 'current'), path.dirname(old))
  const fixture = startCli(t, ['-w', '2', '--settle', '50', path.join(folder, 'current/app.mjs')])
  const watch = new Watch(t, await fixture.port(), 'old', 'new')
  await fixture.workersServing(2)
  point(path.join(folder, 'current'), path.dirname(bad))
  t.equal(await reload(fixture), 'roll')
  await fixture.printed(/gen=2 pid=\d+ exited/)
  await fixture.workersServing(2)
  watch.allowed = ['old']
  await watch.more(10)
  t.strictSame(await watch.stop(), [])
})

t.test('a generation boots the path that it was pinned to, however often', async (t) => {
  const folder = t.testdir()
  const [one, two] = [1, 2].map((n) => put(path.join(folder, `releases/${n}/app.mjs`), versionApp(`v${n}`))) as [
    string,
    string
  ]
  const current = path.join(folder, 'current')
  point(current, path.dirname(one))
  // By a relative path, from a working directory that is named through the symlink.
  const fixture = startCli(t, ['-w', '1', '--settle', '50', 'app.mjs'], { cwd: current, env: { PWD: current } })
  const port = await fixture.port()
  const watch = new Watch(t, port, 'v1')
  const [first] = await fixture.workersServing(1)
  point(current, path.dirname(two))
  process.kill(first as number, 'SIGKILL')
  await fixture.printed(/worker=2 gen=1 pid=\d+ serving/)
  // What the killed worker held is lost with it; from here on nothing may be.
  watch.wrong.length = 0
  await watch.more(5)
  watch.allowed.push('v2')
  t.equal(await reload(fixture), 'done')
  await fixture.printed(/gen=1 pid=\d+ exited/)
  watch.allowed = ['v2', 'v1']
  await watch.more(5)
  t.strictSame(await watch.stop(), [])
})
