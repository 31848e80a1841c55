import { spawnSync } from 'node:child_process'
import t from 'tap'
import { parseRollup, readMemory } from '#dev/terminal/memory.js'
import { browserCommand, openInBrowser } from '#dev/terminal/open.js'

t.test('own memory is what is private, clean and dirty', async (t) => {
  const text = `55d-7ff ---p 00000000 00:00 0    [rollup]
Rss:               89292 kB
Pss:               50000 kB
Pss_Dirty:         30000 kB
Shared_Clean:      39292 kB
Private_Clean:     10000 kB
Private_Dirty:     30000 kB
Private_Hugetlb:    2048 kB
`
  t.same(parseRollup(text), { pss: 50_000 * 1024, own: 42_048 * 1024, rss: 89_292 * 1024 })
  t.same(parseRollup(''), { pss: undefined, own: undefined, rss: undefined })
})

t.test('reads this process, and has nothing to tell of one that has ended', async (t) => {
  const ended = spawnSync(process.execPath, ['--version']).pid
  const [own, gone] = await readMemory([
    { role: 'worker', pid: process.pid, generation: 3 },
    { role: 'mold', pid: ended }
  ])
  t.match(own, { role: 'worker', pid: process.pid, generation: 3 })
  t.ok((own?.rss ?? 0) > 10_000_000)
  if (process.platform === 'linux') t.ok((own?.own ?? 0) > 0 && (own?.own ?? 0) <= (own?.pss ?? 0))
  t.same(gone, { role: 'mold', pid: ended })
})

t.test('the browser is the one of the user', async (t) => {
  const url = 'http://localhost:3000/?a=1&b=2'
  t.same(browserCommand(url, {}, 'linux'), ['xdg-open', url])
  t.same(browserCommand(url, {}, 'darwin'), ['open', url])
  t.same(browserCommand(url, {}, 'win32').at(-1), 'http://localhost:3000/?a=1^&b=2')
  t.same(browserCommand(url, { WSL_DISTRO_NAME: 'Debian' }, 'linux')[0], 'cmd.exe')
  t.same(browserCommand(url, { BROWSER: 'firefox -P dev' }, 'linux'), ['firefox', '-P', 'dev', url])
  t.same(browserCommand(url, { BROWSER: 'w3m %s -x:lynx' }, 'linux'), ['w3m', url, '-x'])
  t.same(browserCommand(url, { BROWSER: 'none' }, 'linux'), [])
})

t.test('what goes wrong with it rejects', { skip: process.platform === 'win32' }, async (t) => {
  const open = (BROWSER: string, url = 'http://localhost:1') => openInBrowser(url, { env: { ...process.env, BROWSER } })
  await t.rejects(open('/no/such/browser'), /no browser could be started: .*ENOENT; open http:\/\/localhost:1\//)
  await t.rejects(open('false-ish', 'file:///etc/passwd'), /only a web page/)
  await t.rejects(open('sh -c exit'.replace('exit', 'false')), /sh ended with code 1/)
  await t.resolves(open('true'))
  await t.resolves(open('none'))
})
