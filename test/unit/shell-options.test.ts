import { statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { MessageSender } from '@mapache/core'
import t from 'tap'
import { fingerprint, keyFingerprint, ownKeyPair, readKeyPair } from '#shell/certificate.js'
import { parseArguments } from '#shell/client/arguments.js'
import { judge, withPin } from '#shell/client/pins.js'
import { parseFrame } from '#shell/frames.js'
import { type ShellOptions, shell } from '#shell/index.js'
import { privateFolder } from '#shell/private-folder.js'

const password = Buffer.alloc(64)

t.test('the module and its service', async (t) => {
  const file = path.join(t.testdir({ 'commands.mjs': '' }), 'commands.mjs')
  const { services, name } = shell({ password, commands: path.relative(process.cwd(), file), limits: { line: 100 } })
  t.equal(name, 'shell')
  const [service] = services ?? []
  t.match(service, { name: 'server', control: true, overlap: true })
  t.match(service?.options, {
    host: '127.0.0.1',
    port: 7777,
    commands: pathToFileURL(file).href,
    limits: { line: 100 }
  })
  t.strictSame(JSON.parse(JSON.stringify(service?.options)).password, `sha512:${'00'.repeat(64)}`, 'plain data')
  t.ok(shell({ password, commands: pathToFileURL(file) }))
})

t.test('options that cannot be', async (t) => {
  const refuses = (options: unknown, code: string, says: RegExp) => {
    t.throws(() => shell(options as ShellOptions), { code, message: says })
  }
  refuses(undefined, 'MAPACHE_OPTION_INVALID', /an object of options/)
  refuses({}, 'MAPACHE_CREDENTIAL_MISSING', /mapache shell passwd/)
  refuses({ password: undefined }, 'MAPACHE_CREDENTIAL_MISSING', /password .* or ca/)
  refuses({ password: 'geheim' }, 'MAPACHE_CREDENTIAL_INVALID', /is it the password itself/)
  refuses({ password, ca: [] }, 'MAPACHE_OPTION_INVALID', /empty array/)
  for (const host of ['0.0.0.0', '::', '192.168.1.1', 'example.com']) {
    refuses({ password, host }, 'MAPACHE_ADDRESS_EXPOSED', /expose: true/)
    t.ok(shell({ password, host, expose: true }))
  }
  refuses({ password, port: 70_000 }, 'MAPACHE_OPTION_INVALID', /port must/)
  refuses({ password, cert: 'x' }, 'MAPACHE_OPTION_INVALID', /cert and key go together/)
  refuses({ password, cert: './no.pem', key: './no.key' }, 'MAPACHE_CERTIFICATE_INVALID', /there is no file .*no\.pem/)
  refuses({ password, ca: './no.pem' }, 'MAPACHE_CERTIFICATE_INVALID', /ca: there is no file/)
  refuses({ password, pasword: 1 }, 'MAPACHE_OPTION_INVALID', /pasword is no option/)
  refuses(
    { password, commands: { foo() {} } },
    'MAPACHE_OPTION_INVALID',
    /a module whose default export is this object/
  )
  refuses({ password, commands: './none.mjs' }, 'MAPACHE_OPTION_INVALID', /a file that exists/)
  refuses({ password, limits: { lines: 1 } }, 'MAPACHE_OPTION_INVALID', /limits\.lines is none/)
  refuses({ password, limits: { line: 0 } }, 'MAPACHE_OPTION_INVALID', /limits\.line must be a positive integer/)
})

t.test('who is locked out is known to the next process of the shell', async (t) => {
  const { messages } = shell({ password })
  const told: unknown[] = []
  const sender: MessageSender = {
    role: 'service',
    id: 3,
    name: 'shell/server',
    generation: 1,
    send: (_message, data) => told.push(data)
  }
  const say = (message: string, data: unknown) => {
    const { check, receive } = messages?.[message] ?? {}
    receive?.(check?.(data) as never, sender, undefined as never)
  }
  const entry = { key: '10.0.0.1', failures: 10, next: 5, until: 9 }
  say('throttle', entry)
  say('throttle', { ...entry, key: '10.0.0.2' })
  say('throttle', { ...entry, key: '10.0.0.2', failures: 0 })
  say('throttled', null)
  t.strictSame(told, [[entry]])
  for (let nth = 0; nth < 600; nth++) say('throttle', { ...entry, key: String(nth) })
  say('throttled', null)
  t.equal((told.at(-1) as unknown[]).length, 500)
  for (const [message, data] of [
    ['throttle', { key: 1 }],
    ['throttle', null]
  ] as const) {
    t.throws(() => say(message, data), TypeError)
  }
})

t.test('the own certificate is made once, private, and renewed with the same key', async (t) => {
  const folder = path.join(t.testdir(), 'state', 'mapache')
  const now = Date.now()
  const made = await Promise.all([ownKeyPair(folder, now), ownKeyPair(folder, now)])
  t.equal(made[0].cert, made[1].cert, 'of two that make it at once, one wins')
  t.equal(statSync(made[0].file).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  const again = await ownKeyPair(folder, now + 300 * 86_400_000)
  t.equal(again.cert, made[0].cert)
  const renewed = await ownKeyPair(folder, now + 340 * 86_400_000)
  t.not(fingerprint(renewed.cert), fingerprint(again.cert))
  t.equal(keyFingerprint(renewed.cert), keyFingerprint(again.cert))
  t.equal((await ownKeyPair(folder, now + 341 * 86_400_000)).cert, renewed.cert)

  const other = await ownKeyPair(path.join(folder, 'other'))
  const wrong = { cert: made[0].cert, key: other.key }
  t.throws(() => readKeyPair(wrong), { code: 'MAPACHE_CERTIFICATE_INVALID', message: /not the key of cert/ })
  t.throws(() => readKeyPair({ cert: '/none', key: other.key }), {
    code: 'MAPACHE_CERTIFICATE_INVALID',
    message: /cert: ENOENT/
  })
  writeFileSync(made[0].file, 'nonsense')
  await t.rejects(ownKeyPair(folder), {
    code: 'MAPACHE_CERTIFICATE_INVALID',
    message: /shell\.pem cannot be used.*Remove it/
  })
})

t.test('known shells', async (t) => {
  const pin = { cert: 'AA', key: 'BB' }
  const text = withPin('# mine\nother:1 CC DD\n', 'host:7777', pin)
  t.equal(text, '# mine\nother:1 CC DD\nhost:7777 AA BB\n')
  t.strictSame(judge(text, 'host:7777', pin), { is: 'known' })
  t.strictSame(judge(text, 'host:7778', pin), { is: 'new' })
  t.strictSame(judge(text, 'host:7777', { cert: 'EE', key: 'BB' }), { is: 'renewed' })
  t.strictSame(judge(text, 'host:7777', { cert: 'EE', key: 'FF' }), { is: 'other', known: pin })
  t.equal(withPin(text, 'other:1', pin), '# mine\nhost:7777 AA BB\nother:1 AA BB\n')
})

t.test('addresses of the command line', async (t) => {
  const at = (text: string) => parseArguments(text === '' ? [] : [text])
  t.match(at(''), { command: 'connect', host: '127.0.0.1', port: 7777 })
  t.match(at('host'), { host: 'host', port: 7777 })
  t.match(at('host:1'), { host: 'host', port: 1 })
  t.match(at('8000'), { host: '127.0.0.1', port: 8000 })
  t.match(at('[::1]:8000'), { host: '::1', port: 8000 })
  t.match(at('[::1]'), { host: '::1', port: 7777 })
  for (const wrong of ['::1', 'a:b', 'a:0', 'a:65536', 'a:1:2']) t.throws(() => at(wrong), /is no address/)
})

t.test('what the server says', async (t) => {
  t.strictSame(parseFrame('{"type":"done","ok":true}'), { type: 'done', ok: true })
  for (const wrong of [
    '',
    'null',
    '7',
    '{}',
    '{"type":"none"}',
    '{"type":"done"}',
    '{"type":"toString"}',
    '{"type":"text","text":1}'
  ]) {
    t.equal(parseFrame(wrong), undefined, wrong)
  }
})

t.test('where private files are', async (t) => {
  t.equal(privateFolder({ XDG_STATE_HOME: '/state' }), '/state/mapache')
  t.match(privateFolder({ XDG_STATE_HOME: 'relative' }), /\/\.local\/state\/mapache$/)
})
