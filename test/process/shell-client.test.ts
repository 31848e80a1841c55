// The client, as a process, against a shell in this process.

import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { fingerprint, ownKeyPair } from '#shell/certificate.js'
import { parseCredential } from '#shell/credential.js'
import { put } from '../support/deploy.js'
import { until } from '../support/fixture.js'
import { noScreen, Screen } from '../support/screen.js'
import { certificates, PASSWORD, ShellClient, serve, shellCommand } from '../support/shell.js'

t.test('commands from a pipe, and a certificate that is known from the first time on', async (t) => {
  const state = t.testdir()
  const { port, pair } = await serve(t)
  const address = `127.0.0.1:${port}`
  const first = await new ShellClient(t, [address], state).run('worker info\nscale 3\n')
  t.equal(first.stdout, `${table(2)}The target is 3 now: worker info tells when they serve.\n`)
  t.match(first.stderr, `The certificate of ${address} is trusted from now on`)
  t.match(first.stderr, fingerprint(pair.cert))
  t.equal(first.code, 0)
  const known = path.join(state, 'mapache/known-shells')
  t.equal(statSync(known).mode & 0o777, 0o600)
  t.equal(statSync(path.dirname(known)).mode & 0o777, 0o700)

  const second = await new ShellClient(t, [address], state).run('worker info\nnonsense\nworker info\n.exit\nscale 9')
  t.equal(second.stdout, `${table(3)}Unknown command "nonsense". See help.\n${table(3)}`)
  t.strictSame([second.stderr, second.code], ['', 1], 'a command failed')

  writeFileSync(known, readFileSync(known, 'utf8').replace(/ .*/, ` ${'AA:'.repeat(31)}AA ${'BB:'.repeat(31)}BB`))
  const changed = await new ShellClient(t, [address], state).run('worker info\n')
  t.match(changed.stderr, `the certificate of ${address} is not the one that is known: somebody may be in between.`)
  t.match(changed.stderr, `remove the line of ${address} from ${known}`)
  t.strictSame([changed.stdout, changed.code], ['', 1])
  t.notOk(existsSync(path.join(state, 'mapache/shell-history')), 'a pipe leaves no history')
})

t.test('a renewed certificate of the same key is trusted', async (t) => {
  const state = t.testdir()
  const folder = t.testdir({ own: {} })
  const { port, shell } = await serve(t, { tls: await ownKeyPair(folder) })
  await new ShellClient(t, [`127.0.0.1:${port}`], state).run('')
  shell.renew(await ownKeyPair(folder, Date.now() + 350 * 86_400_000))
  const { stderr, code } = await new ShellClient(t, [`127.0.0.1:${port}`], state).run('')
  t.match(stderr, 'was renewed, with the same key')
  t.equal(code, 0)
})

t.test('a shell that is replaced during the login has a successor, which is logged in to', async (t) => {
  const state = t.testdir()
  const gone = new AbortController()
  const tried = new AbortController()
  const verify = async () => {
    tried.abort()
    await once(gone.signal, 'abort')
    return true
  }
  const slow = { kind: 'scrypt' as const, verify }
  const tls = await ownKeyPair(t.testdir({ own: {} }))
  const first = await serve(t, { credential: slow, tls })
  const client = new ShellClient(t, [`127.0.0.1:${first.port}`], state).run('worker info\n')
  await once(tried.signal, 'abort')
  const retired = first.shell.retire()
  gone.abort()
  await retired
  const next = await serve(t, { tls, port: first.port })
  const { code, stdout } = await client
  t.strictSame({ code, stdout }, { code: 0, stdout: table(2) })
  t.match(next.log, [/logged in/])
})

t.test('a command that comes while the shell is replaced is done by its successor', async (t) => {
  const state = t.testdir()
  const tls = await ownKeyPair(t.testdir({ own: {} }))
  const first = await serve(t, { tls })
  let retired: Promise<unknown> = Promise.resolve()
  first.cluster.reloads = async () => {
    retired = first.shell.retire()
  }
  const client = new ShellClient(t, [`127.0.0.1:${first.port}`], state).run('reload\nscale 5\n')
  await until(() => first.log.some((line) => line.endsWith(': reload')), 'the reload')
  await retired
  const next = await serve(t, { tls, port: first.port })
  const { code, stdout } = await client
  t.equal(code, 0)
  t.match(stdout, /Reloaded: .*\nThe target is 5 now/)
  t.strictSame([first.cluster.asked, next.cluster.asked], [[['reload']], [['scale', 5]]])
})

t.test('--ca, --cert and --key', async (t) => {
  const { ca, signed } = await certificates()
  const { pair, port } = await serve(t)
  const both = await serve(t, { credential: undefined, tls: { ...pair, ca: [ca] } })
  const folder = t.testdir({ 'ca.pem': pair.cert, 'alice.pem': signed.cert, 'alice.key': signed.key, 'other.pem': ca })
  const at = (name: string) => path.join(folder, name)
  const alice = ['--cert', at('alice.pem'), '--key', at('alice.key')]
  const good = await new ShellClient(t, [...alice, '--ca', at('ca.pem'), `localhost:${both.port}`], folder).run(
    'worker info'
  )
  t.strictSame(good, { code: 0, stdout: table(2), stderr: '' })
  const bad = await new ShellClient(t, ['--ca', at('other.pem'), `127.0.0.1:${port}`], folder).run('worker info')
  t.match(bad, { code: 1, stdout: '', stderr: /cannot connect to 127\.0\.0\.1:\d+: / })
  const nobody = await new ShellClient(t, [`127.0.0.1:${both.port}`], folder).run('worker info')
  t.match(nobody, { code: 1, stderr: /asks for a client certificate that it trusts/ })
})

t.test('what does not work, and the exit codes', async (t) => {
  const state = t.testdir()
  const { port, log } = await serve(t)
  const run = (args: string[], env = {}) => new ShellClient(t, args, state, env).run('worker info\n')
  t.match(await run(['1']), {
    code: 1,
    stderr: 'mapache shell: cannot connect to 127.0.0.1:1: nothing listens there\n'
  })
  for (const wrong of [['a:b'], ['--cert', 'x'], ['--nope'], ['a', 'b'], ['host:99999']]) {
    t.match(await run(wrong), { code: 2, stdout: '', stderr: /^mapache shell: .*\n\nUsage: / }, wrong.join(' '))
  }
  t.match(await run(['--help']), { code: 0, stdout: /^Usage: / })
  const denied = await run([`${port}`], { MAPACHE_SHELL_PASSWORD: 'wrong' })
  t.match(denied, { code: 1, stdout: '', stderr: /Wrong password\.\n$/ })
  const unasked = await run([`${port}`], { MAPACHE_SHELL_PASSWORD: undefined })
  t.match(unasked, { code: 1, stderr: /there is no terminal to ask for the password at: set MAPACHE_SHELL_PASSWORD/ })
  t.equal(log.filter((line) => line.includes('wrong password')).length, 1)
})

t.test('passwd', async (t) => {
  const state = t.testdir()
  const { code, stdout } = await new ShellClient(t, ['passwd'], state).run(`${PASSWORD}\n`)
  t.equal(code, 0)
  t.ok(await parseCredential(stdout).verify(PASSWORD))
  t.match(await new ShellClient(t, ['passwd'], state).run('short\n'), { code: 1, stderr: /8 characters or more/ })
})

t.test('at a terminal', { skip: noScreen }, async (t) => {
  const state = t.testdir()
  const commands = put(
    path.join(state, 'commands.mjs'),
    `export default { ask: async (argv, send, recv) => { send('a secret?'); send('it has ' + (await recv()).length) }, hangs: () => new Promise(() => {}) }`
  )
  const { port, log } = await serve(t, { commands: pathToFileURL(commands).href })
  const screen = new Screen(t, shellCommand(state, String(port)), { XDG_STATE_HOME: state })
  await screen.shows(/Password for 127\.0\.0\.1:\d+: $/)
  screen.type('wrong one\r')
  await screen.shows(/Wrong password\.\s+Password for \S+: $/)
  screen.type(`${PASSWORD}\r`)
  await screen.shows(/Mapache shell of fake\..*> /s)
  screen.type('worker in\t')
  await screen.shows(/worker info/)
  screen.type('\r')
  await screen.shows(/Dead workers: +0/)
  const from = screen.output.length
  screen.type('ask\r')
  await screen.shows(/a secret\?/, from)
  screen.type('hidden\r')
  await screen.shows(/it has 6/, from)
  screen.type(`${PASSWORD}\r`)
  await screen.shows(/Unknown command/, from)
  screen.type('hangs\r')
  await until(() => log.at(-1)?.endsWith(': hangs'), 'hangs at work')
  screen.type('\x03')
  await screen.shows(/Aborted\./, from)
  screen.type('\x1b[A\x1b[A\r')
  await screen.shows(/> .*ask.*a secret\?/s, screen.output.lastIndexOf('Aborted.'))
  screen.type('x\r')
  await screen.shows(/it has 1/, from)
  screen.type('\x04')
  await new Promise((resolve) => (screen.child.exitCode === null ? screen.child.once('exit', resolve) : resolve(0)))
  t.equal(screen.child.exitCode, 0)
  const history = path.join(state, 'mapache/shell-history')
  t.equal(readFileSync(history, 'utf8'), 'worker info\nask\nhangs\nask\n')
  t.equal(statSync(history).mode & 0o777, 0o600)
  t.notMatch(screen.output.slice(0, from), PASSWORD, 'the password is not shown')
})

t.test('passwd at a terminal', { skip: noScreen }, async (t) => {
  const state = t.testdir()
  const screen = new Screen(t, shellCommand(state, 'passwd'), { XDG_STATE_HOME: state })
  await screen.shows(/Password: $/)
  screen.type(`${PASSWORD}\r`)
  await screen.shows(/The same again: $/)
  screen.type(`${PASSWORD}\r`)
  await screen.shows(/scrypt:\S+\s/)
  t.notMatch(screen.output, PASSWORD)
  const [hash = ''] = /scrypt:\S+/.exec(screen.output) ?? []
  t.ok(await parseCredential(hash).verify(PASSWORD))
})

function table(workers: number): string {
  return `Current workers:  ${workers}\nTarget workers:   ${workers}\nDead workers:     0\nGeneration:       1\n`
}

t.test('a shell that has gone for good is not waited for when nothing is left to say', async (t) => {
  const state = t.testdir()
  const { port, shell } = await serve(t)
  const client = new ShellClient(t, [String(port)], state)
  client.child.stdin?.write('worker info\nlog tail\n')
  await until(() => client.stdout.includes('an old line'), 'the log')
  await shell.retire()
  await until(() => client.stderr.includes('Connection lost. Reconnecting... '), 'the client to notice')
  const { code, stderr } = await client.run('')
  t.match(stderr, /Connection lost\. Reconnecting\.\.\. not needed\.\n$/)
  t.equal(code, 0)
})
