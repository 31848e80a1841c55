// The shell's server in this process, with real TLS, and a cluster behind it that only tells what it was asked to do.

import { once } from 'node:events'
import net from 'node:net'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { put } from '../support/deploy.js'
import { before, until } from '../support/fixture.js'
import { certificates, Line, loggedIn, noOpenssl, openssl, PASSWORD, ShellClient, serve } from '../support/shell.js'

t.test('openssl s_client is a client', { skip: noOpenssl }, async (t) => {
  const { port, log } = await serve(t)
  const shown = await openssl(t, port, `${PASSWORD}\nworker info\nworkr info\n.exit\n`)
  t.match(shown, /^password: Mapache shell of fake\. "help" lists the commands, "\.exit" leaves\.\n> /)
  t.match(shown, 'Current workers:  2\nTarget workers:   2\nDead workers:     0\n')
  t.match(shown, 'Unknown command "workr info". Did you mean worker info?')
  t.match(log.join('\n'), /info 127\.0\.0\.1:\d+ logged in\ninfo \S+: worker info\ninfo \S+: an unknown command$/)
  t.notMatch(log.join('\n'), PASSWORD)
})

t.test('the built in commands', async (t) => {
  const { port, cluster } = await serve(t)
  const line = await loggedIn(t, port)
  t.match(
    await line.command('worker list'),
    /ID +ROLE +GEN.*\n 1 +worker +1 +4711 +serving +1m 1s +7 +1 +2 +25 % +50 MB/
  )
  cluster.waiting = 1
  t.match(await line.command('worker info'), 'Current workers:  1\nTarget workers:   2\nDead workers:     1')
  t.equal(await line.command('worker revive'), 'Revived 1 worker.\n')
  t.equal(await line.command('worker revive'), 'No worker waits: none is dead.\n')
  t.equal(await line.command('worker recycle 1'), 'Worker 1 was replaced.\n')
  t.match(await line.command('worker recycle 9'), 'MAPACHE_OPTION_INVALID: there is no process 9')
  t.match(await line.command('worker recycle one'), 'got one\nUsage: worker recycle ID')
  t.match(
    await line.command('scale'),
    'it takes how many workers are to serve, or auto, got nothing\nUsage: scale N|auto'
  )
  t.match(await line.command('scale 4'), 'The target is 4 now')
  const reloaded =
    'Generation 2 begins.\nWorker 3 is launched.\nWorker 3 serves.\nReloaded: generation 2 serves after 12 ms.\n'
  t.equal(await line.command('reload'), reloaded)
  t.match(await line.command('reload canary'), 'Reloaded: generation 3 serves')
  t.match(await line.command('reload canary 5000'), 'Reloaded: generation 4 serves')
  t.match(await line.command('reload canary soon'), /got canary soon\nUsage: reload \[canary \[MS\]\]/)
  t.match(await line.command('reload now'), 'got now')
  t.match(await line.command('rollback'), 'MAPACHE_ROLLBACK_UNAVAILABLE')
  cluster.reloads = async () => {
    const cause = new TypeError('no database')
    throw Object.assign(new Error('MAPACHE_BOOT_FAILED: it ended', { cause }), { code: 'MAPACHE_BOOT_FAILED' })
  }
  t.match(await line.command('reload'), /MAPACHE_BOOT_FAILED: it ended\ncaused by: TypeError: no database\n +at /)
  t.match(await line.command('help'), /worker info +how many workers.*\.exit +leave\n/s)
  t.equal(
    await line.command('help worker revive'),
    'worker revive  launch at once the workers that wait after failures\n'
  )
  t.match(await line.command('worker'), /Unknown command "worker"/)
  t.equal(await line.command(''), '')
  t.strictSame(cluster.asked, [
    ['revive'],
    ['revive'],
    ['recycle', 1],
    ['scale', 4],
    ['reload'],
    ['reload', { canary: {} }],
    ['reload', { canary: { soak: 5_000 } }],
    ['reload']
  ])
  t.equal(cluster.listenerCount('worker:launch'), 0)

  line.type('log tail')
  await line.shows(/1970-01-01T00:00:01.000Z info {2}an old line\n/)
  cluster.emit('log', { time: 2_000, level: 'warn', message: 'a \x07\x1b[31mnew\x1b[0m line' })
  await line.shows(/1970-01-01T00:00:02.000Z warn {2}a new line\n/)
  t.equal(await line.command('anything'), '')
  t.equal(cluster.listenerCount('log'), 0)
  line.type('.exit')
  await line.end()
})

const COMMANDS = `export default {
  foo: async (argv, send) => send(argv.join(' ')),
  baz: async (argv, send, recv) => { send('a number?'); send('twice ' + 2 * Number(await recv())) },
  bar: async (argv, send, recv, primary) => { primary.send({ type: 'restart' }) },
  reloads: async (argv, send, recv, primary) => {
    primary.on('worker:serving', ({ id }) => send('heard of worker ' + id))
    send('generation ' + (await primary.reload()).generation)
  },
  fails: async (argv, send, recv, primary) => { try { await primary.rollback() } catch (error) { send(error.name + ' ' + error.code) } },
  throws: () => { throw new Error('no such thing') },
  later: () => { setTimeout(() => { throw new Error('much later') }, 1); return new Promise(() => {}) },
  exits: () => process.exit(3),
  hangs: () => new Promise(() => {}),
  follows: (argv, send, recv, primary) => { primary.on('start', send); return new Promise(() => {}) },
  loops: () => { for (;;); },
  floods: (argv, send) => { for (;;) send('x'.repeat(1000)) },
  asks: (argv, send, recv, primary) => { for (;;) primary.status().catch(() => {}) },
  listens: (argv, send, recv, primary) => { for (;;) { primary.once('start', send); primary.removeAllListeners('start') } },
  big: (argv, send) => send('x'.repeat(1e6)),
  secret: async (argv, send, recv) => { await recv(); send('thank you') },
  'worker': () => {}
}`

t.test('commands of the app', async (t) => {
  const folder = t.testdir()
  const module = put(path.join(folder, 'commands.mjs'), COMMANDS)
  const { port, cluster, log } = await serve(t, { commands: pathToFileURL(module).href })
  const line = new Line(t, port)
  await line.shows(/password: $/)
  line.type(PASSWORD)
  t.match(await line.shows(/> $/), 'These names cannot be used for commands: worker')
  const other = await loggedIn(t, port)

  t.equal(await line.command('foo 1 2 3'), '1 2 3\n')
  t.equal(await line.command(`foo 'a  b' "c \\" d"`), 'a  b c " d\n')
  t.match(await line.command("foo 'a"), /the quote ' is not closed/)
  line.type('baz')
  await line.shows(/^a number\?\n$/)
  t.equal(await line.command('21'), 'twice 42\n')
  t.equal(await line.command('bar'), '')
  await until(() => cluster.generation === 2, 'the reload')
  t.equal(await line.command('reloads'), 'heard of worker 3\ngeneration 3\n')
  t.equal(await line.command('fails'), 'MapacheError MAPACHE_ROLLBACK_UNAVAILABLE\n')
  t.match(await line.command('throws'), /Error: no such thing\n +at throws .*commands\.mjs/)
  t.match(await line.command('later'), /Error: much later/)
  t.match(await line.command('big'), /RangeError: a text to send may have \d+ characters/)
  t.match(await line.command('exits'), 'exits ended its thread with code 3.')
  line.type('secret')
  t.equal(await line.command(PASSWORD), 'thank you\n')
  t.notMatch(log.join('\n'), PASSWORD)

  for (const [command, way] of [
    ['hangs', '\x03'],
    ['loops', '.abort\n'],
    ['asks', '\x03'],
    ['listens', '\x03'],
    ['hangs', '.abort\r\n']
  ] as const) {
    line.type(command)
    await until(() => log.at(-1)?.endsWith(`: ${command}`), `${command} at work`)
    t.match(await other.command('worker info'), 'Current workers', 'the other session answers meanwhile')
    t.equal(await other.command(`foo ${command}`), `${command}\n`, 'and runs commands of its own')
    line.socket.write(way)
    await line.shows(/^Aborted\.\n> $/)
  }
  t.match(await line.command('worker info'), 'Current workers')

  const gone = new ShellClient(t, [`127.0.0.1:${port}`], folder)
  gone.child.stdin?.write('follows\n')
  await until(
    () => cluster.listenerCount('start') === 1,
    'a command of somebody else',
    () => gone.stdout + gone.stderr
  )
  gone.child.kill('SIGKILL')
  await until(() => cluster.listenerCount('start') === 0, 'the end of the command of who has gone')

  line.type('hangs')
  line.type('.exit')
  line.type('never read')
  line.socket.end()
  await until(() => log.at(-1)?.endsWith(': hangs'), 'hangs at work')
  line.socket.destroy()
  t.equal(cluster.listenerCount('worker:serving'), 0)
})

t.test('a command that floods a user who reads nothing waits, and takes no memory', async (t) => {
  const module = put(path.join(t.testdir(), 'commands.mjs'), COMMANDS)
  const { port, log } = await serve(t, { commands: pathToFileURL(module).href })
  const slow = await loggedIn(t, port)
  const other = await loggedIn(t, port)
  slow.socket.pause()
  slow.type('floods')
  await until(() => log.at(-1)?.endsWith(': floods'), 'the flood')
  let before = 0
  await until(() => {
    const same = before === slow.socket.bytesRead
    before = slow.socket.bytesRead
    return same
  }, 'the flood to stand')
  t.match(await other.command('worker info'), 'Current workers')
  t.ok(process.memoryUsage().rss < 600 << 20)
  slow.socket.resume()
  slow.socket.write('\x03')
  await slow.shows(/Aborted\.\n> $/)
})

t.test('commands that cannot be loaded do not keep the shell from serving', async (t) => {
  const module = put(path.join(t.testdir(), 'commands.mjs'), 'export default { foo: 1 }')
  const { port, log } = await serve(t, { commands: pathToFileURL(module).href })
  const line = new Line(t, port)
  await line.shows(/password: $/)
  line.type(PASSWORD)
  t.match(await line.shows(/> $/), /The commands of the app cannot be used: .*foo, which is no function/)
  t.match(await line.command('worker info'), 'Current workers')
  t.match(log[0], /warn the commands of file:.* cannot be used/)
})

t.test('client certificates', async (t) => {
  const { ca, signed } = await certificates()
  const { ca: foreign, signed: stranger } = await certificates()
  t.not(ca, foreign)
  const { pair } = await serve(t)
  const only = await serve(t, { credential: undefined, tls: { ...pair, ca: [ca] } })
  const alice = new Line(t, only.port, signed)
  await alice.shows(/> $/)
  t.match(await alice.command('worker info'), 'Current workers')
  t.match(only.log[0], /info alice at 127\.0\.0\.1:\d+ logged in/)
  for (const options of [{}, stranger]) {
    const line = new Line(t, only.port, options)
    await line.shows(/^The shell asks for a client certificate that it trusts\.\n/)
    await line.end()
  }
  t.match(only.log.at(-1), /warn login of 127\.0\.0\.1:\d+ failed: its certificate: /)

  const both = await serve(t, { tls: { ...pair, ca: [ca] } })
  const known = new Line(t, both.port, signed)
  await known.shows(/^password: $/)
  known.type('wrong')
  await known.shows(/Wrong password\.\npassword: $/)
  known.type(PASSWORD)
  await known.shows(/> $/)
})

t.test('who connects and says nothing is sent away, before TLS and after', async (t) => {
  const { port, log } = await serve(t, { limits: { loginTimeout: 200 } })
  const silent = net.connect(port, '127.0.0.1')
  silent.on('error', () => {})
  const line = new Line(t, port)
  await before(once(silent.resume(), 'close'), () => 'the end of a connection without TLS')
  await line.shows(/The login took too long\.\n$/)
  await line.end()
  t.same(log, [])
})

t.test('a resumed session shows no certificate, and comes in by none', async (t) => {
  const { ca, signed } = await certificates()
  const { pair } = await serve(t)
  const { port, log } = await serve(t, { credential: undefined, tls: { ...pair, ca: [ca] } })
  for (const options of [{}, signed]) {
    const first = new Line(t, port, options)
    const session = new Promise<Buffer>((resolve) => first.socket.once('session', resolve))
    await first.shows(options === signed ? /> $/ : /^The shell asks for a client certificate/)
    const again = new Line(t, port, { ...options, session: await session })
    again.socket.once('secureConnect', () => t.ok(again.socket.isSessionReused()))
    await again.shows(/^The shell asks for a client certificate that it trusts\.\n/)
    await again.end()
  }
  t.equal(log.filter((line) => / logged in$/.test(line)).length, 1, 'by the certificate itself')
})

t.test('when it retires, what runs finishes, and everybody is told', async (t) => {
  const module = put(path.join(t.testdir(), 'commands.mjs'), COMMANDS)
  const limits = { grace: 50 }
  const { port, shell, cluster } = await serve(t, { commands: pathToFileURL(module).href, limits })
  const [idle, reloading, tailing, hanging] = [
    await loggedIn(t, port),
    await loggedIn(t, port),
    await loggedIn(t, port),
    await loggedIn(t, port)
  ]
  const waiting = new Line(t, port)
  await waiting.shows(/password: $/)
  tailing.type('log tail')
  await tailing.shows(/an old line/)
  hanging.type('hangs')
  let finish = () => {}
  cluster.reloads = () => new Promise((resolve) => (finish = resolve))
  reloading.type('reload')
  await reloading.shows(/is launched\.\n/)
  const retired = shell.retire()
  for (const line of [idle, waiting, tailing, hanging]) {
    await line.shows(/This shell is being replaced or stopped\.\n/)
    await line.end()
  }
  t.notOk(reloading.closed)
  finish()
  await reloading.shows(/Reloaded: generation 2 serves after 12 ms\.\nThis shell is being replaced or stopped\.\n/)
  await retired
})
