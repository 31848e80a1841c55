// The shell as a service of a real cluster: through reloads, kills and the ends of its own process.

import { createHash } from 'node:crypto'
import path from 'node:path'
import t from 'tap'
import { hashPassword } from '#shell/credential.js'
import { put } from '../support/deploy.js'
import { get, isRunning, start, type Test, until } from '../support/fixture.js'
import { noScreen, Screen } from '../support/screen.js'
import { loggedIn, PASSWORD, ShellClient, shellCommand } from '../support/shell.js'

const COMMANDS = `export default {
  foo: async (argv, send) => send(argv.join(' ')),
  baz: async (argv, send, recv) => {
    send('Give a number.')
    send('It is ' + Number(await recv()) + '.')
  },
  bar: async (argv, send, recv, primary) => { primary.send({ type: 'restart' }) }
}`

/** A password as the digest that it may be, too. */
const DIGEST = `Buffer.from('${createHash('sha512').update(PASSWORD).digest('hex')}', 'hex')`

/** A cluster with a shell. @returns it, where the shell is, and its folder */
async function startShell(t: Test & { testdir(): string }, more = '', password = DIGEST) {
  const folder = t.testdir()
  put(path.join(folder, 'commands.mjs'), COMMANDS)
  put(path.join(folder, 'broken.mjs'), '')
  const entry = `import { mapacheHttp } from '@mapache/core'
import { shell } from '@mapache/shell'
await mapacheHttp('./app.mjs', {
  workers: 2, settle: 50, modules: [shell({ port: 0, password: ${password}, commands: './commands.mjs' })]${more}
}).listen(0, '127.0.0.1')`
  put(
    path.join(folder, 'app.mjs'),
    `import './broken.mjs'\nexport default () => (req, res) => res.end(String(process.pid))`
  )
  const fixture = start(t, put(path.join(folder, 'server.mjs'), entry), {
    cwd: folder,
    env: { XDG_STATE_HOME: folder }
  })
  const [, port] = await fixture.printed(
    /shell serves on 127\.0\.0\.1:(\d+); its certificate's SHA-256 fingerprint is (?:[0-9A-F]{2}:){31}/
  )
  await fixture.workersServing(2)
  return { fixture, port: Number(port), folder }
}

t.test('a session, line by line', { skip: noScreen }, async (t) => {
  const back = ', backoff: { min: 60_000, max: 60_000 }'
  const { fixture, port, folder } = await startShell(t, back, `'${await hashPassword(PASSWORD)}'`)
  const env = { XDG_STATE_HOME: folder, MAPACHE_SHELL_PASSWORD: PASSWORD }
  const screen = new Screen(t, shellCommand(folder, String(port)), env)
  await screen.shows(/Mapache shell of .*> /s)
  const types = async (line: string, ...shown: RegExp[]) => {
    const from = screen.output.length
    screen.type(`${line}\r`)
    for (const pattern of shown) await screen.shows(pattern, from)
  }
  const info = (current: number, dead: number) =>
    new RegExp(`Current workers: +${current}\\s+Target workers: +2\\s+Dead workers: +${dead}\\s.*> `, 's')

  await types('foo 1 2 3', /\n1 2 3\r\n.*> /s)
  await types('baz', /Give a number\./)
  await types('42', /It is 42\.\r\n.*> /s)
  await types('worker info', info(2, 0), /Generation: +1/)
  await types('bar', /Connection lost\. Reconnecting\.\.\. done!\r\n.*> /s)
  await fixture.printed(/reloaded: gen=2 serves/)
  await types('worker info', info(2, 0), /Generation: +2/)

  // The first that is killed is replaced at once; its place waits when the replacement is killed, too.
  for (const _ of ['first', 'replacement']) {
    const victim = (await fixture.workersServing(2)).at(-1) as number
    process.kill(victim, 'SIGKILL')
    await fixture.printed(new RegExp(`pid=${victim} ended`))
  }
  await types('worker info', info(1, 1))
  await types('worker revive', /Revived 1 worker\./)
  await fixture.workersServing(2)
  await types('worker info', info(2, 0))
  await types('.exit')
  await until(() => screen.child.exitCode === 0, 'the client has left')
  t.match(fixture.output, /service=shell\/server gen=1 pid=\d+: 127\.0\.0\.1:\d+: bar"/)
  t.notMatch(fixture.output, PASSWORD)
})

t.test('a reload tells of itself, and a bad one why it failed', async (t) => {
  const { fixture, port, folder } = await startShell(t)
  await fixture.printed(/the password is a bare SHA-512 digest, which is quickly guessed/)
  const line = await loggedIn(t, port)
  put(path.join(folder, 'broken.mjs'), "throw new Error('no such table')")
  const failed = await line.command('reload')
  t.match(failed, /Generation 2 begins\.\nWorker \d+ is launched\.\n/)
  t.match(failed, /MAPACHE_BOOT_FAILED: .*\ncaused by: Error: no such table\n +at .*broken\.mjs/s)
  put(path.join(folder, 'broken.mjs'), '')
  line.type('reload')
  const done = await line.shows(/This shell is being replaced or stopped\.\n/)
  t.match(done, /Worker \d+ serves\.\nThe first new worker has proved itself/)
  // The prompt is there if the shell was told to go only after it.
  t.match(done, /Reloaded: generation 3 serves after \d+ ms\.\n(> )?This shell/)
  await line.end()

  const script = 'worker recycle 99\nscale auto\nscale 3\nlog tail 1000\n'
  const client = await new ShellClient(t, [String(port)], folder).run(script)
  t.match(
    client.stdout,
    /MAPACHE_PROCESS_UNKNOWN.*The options say again.*The target is 3 now.*reload failed.*: scale 3/s
  )
  t.equal(client.code, 1)
  await fixture.workersServing(3)
  t.equal((await get(await fixture.port())).status, 200)
})

t.test('the shell is back after its process was killed, and the client with it', async (t) => {
  const { fixture, port, folder } = await startShell(t)
  const client = new ShellClient(t, [String(port)], folder)
  client.child.stdin?.write('foo before\nbaz\n')
  await until(
    () => client.stdout.includes('Give a number.'),
    'a command that waits',
    () => client.stderr
  )
  const [, pid] = /service=shell\/server gen=1 pid=(\d+) serving/.exec(fixture.output) ?? []
  process.kill(Number(pid), 'SIGKILL')
  await until(
    () => client.stderr.includes('done!'),
    'the client has reconnected',
    () => client.stderr
  )
  const { stdout, stderr, code } = await client.run('foo after\nworker info\n')
  t.match(
    stderr,
    /Reconnecting\.\.\. done!\nThe connection was lost while "baz" ran: what came of it is not known\.\n$/
  )
  t.match(stdout, /^before\nGive a number\.\nafter\nCurrent workers: /)
  t.equal(code, 1, 'something of the script failed')
  t.notOk(isRunning(Number(pid)))
  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(fixture.processes(), [])
})
