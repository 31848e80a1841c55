import t from 'tap'
import { DevApp, tells } from '../support/dev.js'
import { DevScreen } from '../support/dev-screen.js'
import { get, until } from '../support/fixture.js'
import { noScreen as skip } from '../support/screen.js'

/** As part of a regular expression. */
const ERASE = '\r\x1b\\[2K'
const LOGS = `import pino from 'pino'
const log = pino()
log.info({ port: 1 }, 'hello from the app')
console.log('a plain line')`

t.test('keys: r reloads, m shows the memory, q quits', { skip }, async (t) => {
  const screen = new DevScreen(t)
  await screen.shows(/http:\/\/localhost:\d+ · \w+ · server\.mjs · gen 1 in [\d.]+ m?s\r\n/)
  await screen.shows(/r reload · m memory · o open · q quit\r\n/)
  const port = Number(/localhost:(\d+)/.exec(screen.output)?.[1])
  const before = JSON.parse((await get(port)).body)
  screen.type('r')
  await screen.shows(/reloaded in [\d.]+ m?s · r · gen 2\r\n/)
  const after = JSON.parse((await get(port)).body)
  t.equal(after.version, 1)
  t.not(after.pid, before.pid)
  const from = screen.output.length
  screen.type('m')
  await screen.shows(/role +pid +gen +PSS +own +RSS MB\r\nsupervisor +\d+ +– +[\d.]+ +[\d.]+ +[\d.]+\r\n/, from)
  await screen.shows(new RegExp(`worker +${after.pid} +2 +[\\d.]+`), from)
  screen.files.write('server.mjs', tells(2))
  await screen.shows(/reloaded in [\d.]+ m?s · server\.mjs · gen 3\r\n/)
  screen.type('q')
  await screen.ended()
})

t.test('Ctrl-C quits, also while a request is slow when it comes twice', { skip }, async (t) => {
  const slow = tells(1).replace('res.end(', `if (req.url === '/slow') return console.log('slow')\n  res.end(`)
  const screen = new DevScreen(t, { files: { 'server.mjs': slow } })
  await screen.shows(/q quit/)
  const port = Number(/localhost:(\d+)/.exec(screen.output)?.[1])
  const answer = get(port, '/slow').catch((error: Error) => error)
  await screen.shows(/^slow/m)
  screen.type('\x03')
  await until(async () => (await get(port).catch(() => undefined)) === undefined, 'that nothing new is taken')
  t.not(screen.processes().length, 0)
  screen.type('\x03')
  await screen.ended()
  t.ok((await answer) instanceof Error)
})

t.test('logs of pino are readable on a terminal, and what is printed else is left as it is', { skip }, async (t) => {
  const files = { 'server.mjs': tells(1, LOGS) }
  const screen = new DevScreen(t, { files, links: ['pino'] })
  await screen.shows(/gen 1 in/)
  await screen.shows(/\[\d\d:\d\d:\d\d\.\d{3}\] INFO(?: \(\d+\))?: hello from the app \{"port":1\}\r\n/)
  t.match(screen.output, /^a plain line\r$/m)
  t.notMatch(screen.output, '{"level"')
  const from = screen.output.length
  screen.files.write('server.mjs', tells(2, LOGS))
  await screen.shows(
    /INFO(?: \(\d+\))?: hello from the app[\s\S]*reloaded in|reloaded in[\s\S]*INFO.*hello from the app/,
    from
  )
})

t.test('the first boot shows its progress, which is erased', { skip }, async (t) => {
  const slow = `import { setTimeout as sleep } from 'node:timers/promises'\nfor (const n of [1, 2, 3]) await import('./lib/' + n + '.mjs').then(() => sleep(100))`
  const files = { 'server.mjs': tells(1, slow), 'lib/1.mjs': '1', 'lib/2.mjs': '2', 'lib/3.mjs': '3' }
  const screen = new DevScreen(t, { files })
  await screen.shows(/q quit/)
  t.match(screen.output, new RegExp(`${ERASE}loading … \\d+ modules?, \\d\\.\\d s`))
  t.match(screen.output, new RegExp(`${ERASE}http:`))
})

t.test('without a terminal: plain lines, and logs as the app wrote them', async (t) => {
  const app = new DevApp(t, { files: { 'server.mjs': tells(1, LOGS) }, links: ['pino'] })
  await app.started()
  await app.change('server.mjs', tells(2, LOGS))
  t.match(app.output, /^\{"level":30,.*"msg":"hello from the app"\}$/m)
  t.match(app.output, /^a plain line$/m)
  t.notMatch(app.output, /q quit|loading/)
  t.notOk(app.output.includes('\x1b'))
})
