import t from 'tap'
import { CliScreen, Shop, seeing } from '../support/cli.js'
import { versionApp } from '../support/deploy.js'
import { FIXTURES, get, until } from '../support/fixture.js'
import { noScreen } from '../support/screen.js'

const skip = noScreen || (process.platform === 'linux' ? false : 'the terminal is found in /proc')
t.jobs = 3

/** What a terminal is when a program has given it back. */
const COOKED = /^isig icanon iexten echo echoe/m

t.test('reload on a terminal draws a block over and over, and leaves one line', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--settle', '1500'])
  await shop.fixture.workersServing(2)
  const screen = shop.screen(['reload'])
  await screen.seen(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] {2}reload {2}reload to generation 2 begins {2}[\d.]+m?s\n {2}worker {2}3 {2}gen 2/)
  await screen.seen(/^reload done: generation 2 serves after [\d.]+s\nended with 0\n/)
  t.notMatch((await screen.lines()).join('\n'), /launched|worker=/)
  t.ok(screen.cursor, 'the cursor is back')
})

t.test('a reload that fails on a terminal leaves the error of the app', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  shop.app.write('server.mjs', `throw new Error('not today')`)
  const screen = shop.screen(['reload'])
  await screen.seen(/^mapache: MAPACHE_BOOT_FAILED: .*^Error: not today\n +at file:.*^ended with 1\n/ms)
})

t.test('Ctrl-C ends the waiting, and the reload goes on', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--settle', '1500'])
  const port = await shop.fixture.port()
  await shop.fixture.workersServing(2)
  shop.app.write('server.mjs', versionApp('2'))
  const screen = shop.screen(['reload'])
  await screen.seen(/reload to generation 2 begins/)
  screen.type('\x03')
  await screen.seen(/^mapache: the reload goes on without this command; see mapache status\nended with 130\n/m)
  await shop.fixture.printed(/reloaded: gen=2 serves/)
  t.equal((await get(port)).body, '2')
})

t.test('top shows the cluster, takes keys and gives the terminal back', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--name', 'books'])
  const port = await shop.fixture.port()
  await shop.fixture.workersServing(2)
  const screen = shop.screen(['top', '--interval', '200'])
  await screen.seen(
    new RegExp(
      `^books {2}pid ${shop.fixture.pid} .*\nlistens on 127\\.0\\.0\\.1:${port}\n\n +ID +ROLE .*OWN\n▸ +1 +worker +serving`
    )
  )
  t.ok(screen.whole)
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, () => get(port)))
    return /^requests\/s +[1-9].*most [1-9]/m.test((await screen.lines()).join('\n'))
  }, 'a rate')

  shop.app.write('server.mjs', versionApp('2'))
  screen.type('r')
  await screen.seen(/ Replace all 2 workers with new ones from disk\? y\/n/)
  screen.type('n')
  await screen.seen(/^not done$/m)
  screen.type('r')
  screen.type('y')
  await screen.seen(/^generation 2 serves after [\d.]+m?s$/m)
  await screen.seen(/^\d\d:\d\d:\d\d worker=4 gen=2 pid=\d+ serving$/m)
  t.equal((await get(port)).body, '2')

  screen.type('+')
  await screen.seen(/3\/3 workers serve/)
  screen.type('-')
  await screen.seen(/Serve with 2 workers instead of 3\?/)
  screen.type('y')
  await screen.seen(/2\/2 workers serve/)
  screen.type('\x1b[B')
  await screen.seen(/^▸ {2}4 {2}worker/m)
  screen.type('c')
  await screen.seen(/Replace worker 4\?/)
  screen.type('y')
  await screen.seen(/^4 is replaced$/m)
  screen.type('?')
  await screen.seen(/^Keys\n/)
  screen.type('x')

  shop.app.write('server.mjs', `throw new Error('not today')`)
  screen.type('r')
  screen.type('y')
  await screen.seen(/^reload failed: MAPACHE_BOOT_FAILED: .*/m)

  screen.type('q')
  await screen.seen(/^ended with 0\n/)
  t.notOk(screen.whole)
  await screen.seen(COOKED)
})

t.test('top is drawn anew when the terminal changes its size', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'))
  await shop.fixture.workersServing(2)
  const screen = shop.screen(['top', '--interval', '200'])
  await screen.seen(/q quit\n?$/)
  for (const [columns, rows] of [
    [120, 40],
    [50, 10],
    [80, 24]
  ] as const) {
    screen.resize(columns, rows)
    await screen.seen(columns > 100 ? /^ +ID .* PID +FAILED$/m : columns > 60 ? /^ +ID .* OWN$/m : /^ +ID .* FLIGHT/m)
    await until(
      async () => {
        const lines = await screen.lines()
        const heads = lines.filter((line) => / ID {2}ROLE/.test(line)).length
        return (
          heads === 1 && /q quit|select/.test(lines[rows - 2] ?? '') && lines.every((line) => line.length <= columns)
        )
      },
      `${columns} by ${rows}`,
      () => screen.output.slice(-2_000)
    )
  }
  process.kill(screen.command, 'SIGTERM')
  await screen.seen(/^ended with 143\n/)
  t.notOk(screen.whole)
  await screen.seen(COOKED)
})

t.test('top goes on when the supervisor dies, and takes the next one of that name', { skip }, async (t) => {
  const shop = new Shop(t, versionApp('1'), ['--name', 'books'])
  await shop.fixture.workersServing(2)
  const screen = shop.screen(['top', '--interval', '200'])
  await screen.seen(/2\/2 workers serve/)
  shop.fixture.kill('SIGKILL')
  await screen.seen(new RegExp(`^The supervisor \\(pid ${shop.fixture.pid}\\) has gone; this is how it was`, 'm'))
  screen.type('+')
  await screen.seen(/^the supervisor has gone$/m)
  const { folder } = shop.fixture
  const next = new Shop(t, versionApp('1'), ['--name', 'books'], { env: { XDG_RUNTIME_DIR: folder } })
  await next.fixture.workersServing(2)
  await screen.seen(new RegExp(`^books {2}pid ${next.fixture.pid} .*2/2 workers serve`))
  screen.type('\x03')
  await screen.seen(/^ended with 0\n/)
})

t.test('what is thrown while the whole terminal is taken gives it back, and is printed after', { skip }, async (t) => {
  const command = `${process.execPath} cli/throws.mjs`
  const screen = new CliScreen(t, command, seeing(FIXTURES), { columns: 80, rows: 50 })
  await screen.seen(/^drawn/)
  t.ok(screen.whole)
  screen.type('x')
  await screen.seen(/Error: thrown on a key\n.*^ended with 1\n/ms)
  t.notOk(screen.whole)
  await screen.seen(COOKED)
  t.ok(screen.cursor)
})
