import { createHash } from 'node:crypto'
import t from 'tap'
import { isLoopback } from '#shell/credential/loopback.js'
import { keyOf } from '#shell/credential/throttle.js'
import { credentialText, hashPassword, parseCredential, Throttle, type ThrottleEntry } from '#shell/credential.js'

/** The same as the default, but quickly made. */
const CHEAP = `scrypt:2:1:1:${Buffer.alloc(16, 1).toString('base64url')}:${Buffer.alloc(32, 2).toString('base64url')}`

t.test('a password by its hash', async (t) => {
  const hash = await hashPassword('correct horse')
  t.match(hash, /^scrypt:32768:8:3:[\w-]{22}:[\w-]{43}$/)
  const credential = parseCredential(`${hash}\n`)
  t.equal(credential.kind, 'scrypt')
  t.equal(await credential.verify('correct horse'), true)
  t.equal(await credential.verify(Buffer.from('correct horsf')), false)
  const cheap = parseCredential(CHEAP)
  for (const wrong of ['', 'x'.repeat(10_000)]) t.equal(await cheap.verify(wrong), false)
  t.not(await hashPassword('correct horse'), hash, 'another salt')
})

t.test('a password by its SHA-512', async (t) => {
  const digest = createHash('sha512').update('correct horse').digest()
  for (const given of [digest, new Uint8Array(digest), credentialText(digest)]) {
    const credential = parseCredential(given)
    t.equal(credential.kind, 'sha512')
    t.equal(await credential.verify('correct horse'), true)
    t.equal(await credential.verify('correct'), false)
  }
})

t.test('what is no hash is refused, and not shown', async (t) => {
  const fields = CHEAP.split(':')
  const but = (at: number, value: string) => fields.with(at, value).join(':')
  t.ok(parseCredential(CHEAP))
  for (const wrong of [
    'my secret',
    '',
    undefined,
    7,
    Buffer.alloc(63),
    but(1, '3'),
    but(1, '1'),
    but(1, '99999999'),
    but(1, '1048576').replace(':1:1:', ':999:1:'),
    but(3, '999').replace(':2:', ':1048576:'),
    but(4, 'AAAA'),
    but(5, 'AAAA'),
    `${CHEAP}:more`,
    'sha512:abc',
    'a'.repeat(128)
  ]) {
    t.throws(() => parseCredential(wrong), { code: 'MAPACHE_CREDENTIAL_INVALID' }, String(wrong))
  }
  try {
    parseCredential('my secret')
  } catch (error) {
    t.notMatch((error as Error).message, 'secret')
  }
})

t.test('checks take turns', async (t) => {
  const credential = parseCredential(CHEAP)
  const order: number[] = []
  await Promise.all([1, 2, 3].map(async (nth) => order.push((await credential.verify('x')) ? 0 : nth)))
  t.strictSame(order, [1, 2, 3])
})

t.test('attempts wait longer and longer, and then must not be checked', async (t) => {
  let now = 1_000
  const changes: ThrottleEntry[] = []
  const throttle = new Throttle({
    delay: 500,
    longest: 3_000,
    failures: 6,
    lockout: 60_000,
    now: () => now,
    changed: (entry) => changes.push(entry)
  })
  const waits = [1, 2, 3, 4, 5, 6, 7].map(() => throttle.attempt('10.0.0.1'))
  t.strictSame(waits, [0, 500, 1_500, 3_500, 6_500, 9_500, undefined])
  t.equal(throttle.locked('10.0.0.1'), 69_500, 'from the last one that was to be checked')
  t.equal(throttle.attempt('10.0.0.2'), 0, 'another address')
  now += 69_499
  t.equal(throttle.attempt('10.0.0.1'), undefined)
  now += 1
  t.equal(throttle.attempt('10.0.0.1'), 0, 'it is forgotten, and who tried in vain did not prolong it')
  throttle.succeeded('10.0.0.1')
  t.strictSame(changes.at(-1), { key: '10.0.0.1', failures: 0, next: 0, until: 0 })
  t.equal(throttle.attempt('10.0.0.1'), 0)

  const next = new Throttle({ failures: 6, now: () => now })
  next.restore(changes.filter(({ failures }) => failures === 6).map((entry) => ({ ...entry, until: now + 1 })))
  t.equal(next.attempt('10.0.0.1'), undefined, 'another process knows it')
})

t.test('time passes between attempts', async (t) => {
  let now = 0
  const throttle = new Throttle({ delay: 500, now: () => now })
  t.equal(throttle.attempt('a'), 0)
  now = 400
  t.equal(throttle.attempt('a'), 100)
  now = 2_000
  t.equal(throttle.attempt('a'), 0)
})

t.test('attempts of an address take turns, and are counted when they begin', async (t) => {
  const waited: number[] = []
  const throttle = new Throttle({ delay: 10, failures: 3, now: () => 0, wait: async (ms) => waited.push(ms) })
  let checking = 0
  const wrong = async () => {
    checking += 1
    t.equal(checking, 1, 'one at a time')
    await new Promise((resolve) => setImmediate(resolve))
    checking -= 1
    return false
  }
  const gone = new AbortController()
  const tries = [1, 2, 3, 4].map(() => throttle.tried('a', wrong))
  const left = throttle.tried('a', wrong, gone.signal)
  gone.abort(new Error('gone'))
  t.strictSame(await Promise.all(tries), ['wrong', 'wrong', 'wrong', 'locked'])
  await t.rejects(left, { message: 'gone' })
  t.strictSame(waited, [10, 30])
  t.equal(await throttle.tried('b', async () => true), 'right')
  t.equal(throttle.locked('b'), 0)
  await t.rejects(
    throttle.tried('c', async () => {
      throw new Error('no memory')
    }),
    { message: 'no memory' }
  )
  t.equal(throttle.entries().find(({ key }) => key === 'c')?.failures, 1, 'what failed to be checked counts')
})

t.test('only so many addresses are remembered', async (t) => {
  const throttle = new Throttle({ addresses: 3, now: () => 0 })
  for (const address of ['a', 'b', 'c', 'a', 'd']) throttle.attempt(address)
  t.strictSame(
    throttle.entries().map(({ key }) => key),
    ['c', 'a', 'd']
  )
})

t.test('what an address counts as', async (t) => {
  t.equal(keyOf('10.0.0.1'), '10.0.0.1')
  t.equal(keyOf('::ffff:10.0.0.1'), '10.0.0.1')
  t.equal(keyOf('2001:db8:0:1:2:3:4:5'), '2001:db8:0:1::/64')
  t.equal(keyOf('2001:0DB8::9'), '2001:db8:0:0::/64')
  t.equal(keyOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.equal(keyOf('::1'), '0:0:0:0::/64')
})

t.test('who is this machine alone', async (t) => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1']) t.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.com', '::ffff:10.0.0.1', '1270.0.0.1'])
    t.notOk(isLoopback(host), host)
})
