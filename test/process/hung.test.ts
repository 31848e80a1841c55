import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { get, STATE, until } from '../support/fixture.js'
import { ForkingApp } from '../support/forking.js'
import { Life } from '../support/life.js'

const skip = process.platform === 'linux' ? false : 'reports are of what Linux tells'
const hung = (more: object = {}) => ({
  script: 'health/http.mjs',
  options: { workers: 1, hangTimeout: 2_000, ...more }
})

/** The report that the log names. */
function reportOf(life: Life) {
  const [, file = ''] = /more in ([^"]+\.json)/.exec(life.output) ?? []
  return { file, report: JSON.parse(readFileSync(file, 'utf8')) }
}

t.test('of a worker in an endless loop there is a report, with the line that it was in', { skip }, async (t) => {
  const life = new Life(t, hung())
  const port = await life.port()
  const [pid] = await life.workersServing(1)
  get(port, '/spin').catch(() => {})
  const before = performance.now()
  await life.printed(/ended \(hung, SIGKILL\)/)
  await life.workersServing(1)
  t.comment(`replaced after ${Math.round(performance.now() - before)} ms`)
  const { file, report } = reportOf(life)
  t.match(report, { version: 1, reason: 'hung', cluster: 'fixtures', process: { role: 'worker', id: 1, pid } })
  t.ok(report.silentFor >= 2_000)
  t.equal(report.vitals.inFlight >= 0, true)
  const spin = report.stack.frames.findIndex((frame: { function: string }) => frame.function === 'spinForEver')
  t.match(report.stack.frames[spin], { file: /fixtures\/health\/http\.mjs$/, line: Number, column: Number })
  t.match(report.stack.text, /at spinForEver \(.*http\.mjs:\d+:\d+\)/)
  t.match(life.output, /it was in spinForEver \(/)
  t.match(report.system.status.State, /^R/)
  t.ok(report.system.descriptors.total > 3)
  t.ok(report.system.threads.length > 1)
  t.ok(file.startsWith(path.join(life.folder, STATE, 'mapache/fixtures/diagnostics')))
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(path.dirname(file)).mode & 0o777, 0o700)
  const { crashes } = await life.status()
  t.match(crashes, [{ reason: 'hung', role: 'worker', id: 1, signal: 'SIGKILL', diagnostic: file, times: 1 }])
})

t.test('code that names itself by a URL that no file has ends no supervisor', { skip }, async (t) => {
  const life = new Life(t, hung())
  const port = await life.port()
  await life.workersServing(1)
  get(port, '/spin-named').catch(() => {})
  await life.printed(/ended \(hung, SIGKILL\)/)
  t.match(reportOf(life).report.stack.text, /file:\/\/nowhere\/named\.js/)
  await life.workersServing(1)
})

for (const [what, at, state] of [
  ['waits for another program', '/exec', /^S/],
  ['is in native code', '/hash', /^R/]
] as const) {
  t.test(`of one that ${what} the report says so, and not in which line`, { skip }, async (t) => {
    const life = new Life(t, hung())
    const port = await life.port()
    await life.workersServing(1)
    get(port, at).catch(() => {})
    await life.printed(/ended \(hung, SIGKILL\)/)
    const { report } = reportOf(life)
    t.match(report.stack, { unavailable: /it runs no JavaScript/ })
    t.match(report.system.status.State, state)
    await life.workersServing(1)
    // What the killed one had started is not Mapache's to end.
    await until(() => life.processes().length === 2, 'the end of the other program')
  })
}

t.test('one that hangs in boot has a report, too, in the folder that the option names', { skip }, async (t) => {
  const life = new Life(t, { ...hung({ bootTimeout: 1_000 }), env: {} })
  await life.port()
  await life.workersServing(1)
  life.put('spin-in-boot')
  const failed = life.call('reload').catch((error) => error)
  t.match(await failed, { code: 'MAPACHE_BOOT_TIMEOUT' })
  const { report } = reportOf(life)
  t.match(report, { reason: 'boot-timeout', vitals: null })
  t.match(report.stack.text, /at spinForEver/)
  t.equal(life.workers.length, 1)
})

t.test('a folder that cannot be written harms nothing', { skip }, async (t) => {
  const life = new Life(t, hung({ diagnostics: `${process.execPath}/nowhere` }))
  const port = await life.port()
  await life.workersServing(1)
  get(port, '/spin').catch(() => {})
  await life.printed(/nothing could be written about it/)
  await life.printed(/ended \(hung, SIGKILL\)/)
  await life.workersServing(1)
})

t.test('of one that was forked there is the line, too', { skip }, async (t) => {
  const listener = `(function spinForEver(req, res) { if (req.url === '/spin') for (;;); res.end('ok') })`
  const app = new ForkingApp(t, { listener, settings: { hangTimeout: 2_000, workers: 1 } })
  const port = await app.port()
  const [pid] = await app.workersServing(1)
  process.kill(pid as number, 'SIGUSR1')
  await app.printed(/Debugger listening on/)
  get(port, '/spin').catch(() => {})
  await app.printed(/ended \(hung, SIGKILL\)/)
  const { report } = reportOf(app)
  t.match(report, { process: { role: 'worker', pid }, stack: { text: /at spinForEver \(.*app\.mjs:\d+:\d+\)/ } })
  await app.workersServing(1)
  t.notOk(readdirSync(path.join(app.folder, 'mapache'), { recursive: true }).some((name) => /stack/.test(String(name))))
})
