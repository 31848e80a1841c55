import t from 'tap'
import { encode, MESSAGE_LIMIT } from '#core/channel/frames.js'
import { checkUpward } from '#core/channel/messages.js'
import { CATALOGUE, errorFromData, errorToData, MapacheError } from '#core/errors.js'

const travelled = (thrown: unknown) => errorFromData(JSON.parse(JSON.stringify(errorToData(thrown))))

t.test('every code says what it means and what to do about it', async (t) => {
  for (const [code, { means, fix }] of Object.entries(CATALOGUE)) {
    t.match(code, /^MAPACHE_[A-Z_]+$/)
    for (const text of [means, fix]) {
      t.match(text, /^[A-Z].{10,}\.$/, `${code}: a sentence`)
      t.notMatch(text, /\n/, `${code}: one line`)
    }
  }
})

t.test('an error has its code in the message, and its fix', async (t) => {
  const cause = new Error('no')
  const error = new MapacheError('MAPACHE_BOOT_FAILED', 'generation 2 did not boot: no', { cause, phase: 'boot' })
  t.match(error, { name: 'MapacheError', code: 'MAPACHE_BOOT_FAILED', phase: 'boot', cause })
  t.equal(error.message, 'MAPACHE_BOOT_FAILED: generation 2 did not boot: no')
  t.equal(error.fix, CATALOGUE.MAPACHE_BOOT_FAILED.fix)
  t.ok(error instanceof Error)
  t.match(error.stack, /^MapacheError: MAPACHE_BOOT_FAILED: generation 2/)
})

t.test('without a cause and a phase it has neither', async (t) => {
  const error = new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
  t.notOk('cause' in error)
  t.equal(error.phase, undefined)
})

t.test('an error keeps name, message, stack, code and causes on its way', async (t) => {
  const root = Object.assign(new RangeError('too far'), { code: 'ERR_RANGE' })
  const middle = new TypeError('no type', { cause: root })
  const error = new Error('outer', { cause: middle })
  const back = travelled(error)
  t.match(back, { name: 'Error', message: 'outer', stack: error.stack })
  t.match(back.cause, { name: 'TypeError', message: 'no type', stack: middle.stack })
  t.match((back.cause as Error).cause, { name: 'RangeError', message: 'too far', code: 'ERR_RANGE', stack: root.stack })
  t.notOk('code' in back)
})

t.test('an error of Mapache is one again on arrival', async (t) => {
  for (const code of Object.keys(CATALOGUE) as (keyof typeof CATALOGUE)[]) {
    const error = new MapacheError(code, `some ${code} text: with colons`, { cause: new Error('why') })
    const back = travelled(error)
    t.ok(back instanceof MapacheError)
    t.match(back, { name: 'MapacheError', code, message: error.message, stack: error.stack, fix: CATALOGUE[code].fix })
    t.match(back.cause, { message: 'why' })
  }
})

t.test('a code that only looks like one of ours makes no error of Mapache', async (t) => {
  for (const code of ['MAPACHE_UNKNOWN', 'toString', '__proto__', 'ENOENT']) {
    const back = travelled(Object.assign(new Error('no'), { code }))
    t.notOk(back instanceof MapacheError, code)
    t.match(back, { code, message: 'no' })
  }
})

t.test('a code that is no text is left out', async (t) => {
  for (const code of [404, null, {}, Symbol('code')])
    t.notOk('code' in errorToData(Object.assign(new Error(), { code })))
})

t.test('what was thrown and is no error becomes one that shows it', async (t) => {
  const thrown: [unknown, string][] = [
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [404, '404'],
    [{ status: 404 }, '{ status: 404 }'],
    [Symbol('no'), 'Symbol(no)'],
    [['a'], "[ 'a' ]"]
  ]
  for (const [value, message] of thrown) {
    t.match(errorToData(value), { name: 'Thrown', message, stack: `thrown, not an Error: ${message}` })
    t.match(travelled(value), { name: 'Thrown', message })
  }
})

t.test('an error of another realm or a class of its own keeps its name', async (t) => {
  class DatabaseError extends Error {
    override name = 'DatabaseError'
  }
  t.match(travelled(new DatabaseError('gone')), { name: 'DatabaseError', message: 'gone' })
  t.match(travelled(Object.assign(new Error('x'), { name: 'Renamed' })), { name: 'Renamed' })
})

t.test('an error without a stack, or with parts that are no texts, still travels', async (t) => {
  const odd = Object.assign(new Error('m'), { stack: undefined, name: 7, message: { toString: () => 'said' } })
  t.match(errorToData(odd), { name: '7', message: 'said' })
  t.type(errorToData(odd).stack, 'string')
  const hostile = new Error('m')
  Object.defineProperty(hostile, 'message', { value: Object.create(null) })
  t.doesNotThrow(() => errorToData(hostile))
})

t.test('causes in a circle end', async (t) => {
  const error = new Error('round') as Error & { cause: unknown }
  error.cause = error
  let data = errorToData(error)
  let depth = 0
  for (; data.cause; data = data.cause) depth += 1
  t.equal(depth, 4)
})

t.test('a cause that is no error travels as well', async (t) => {
  t.match(travelled(new Error('outer', { cause: 'inner' })).cause, { name: 'Thrown', message: 'inner' })
  t.notOk('cause' in errorToData(new Error('outer', { cause: undefined })))
})

t.test('the largest error fits into a message, whatever is in it', async (t) => {
  for (const letter of ['x', 'é', '漢', '🦝', '\u0000', '"', '\ud800']) {
    const huge = () => letter.repeat(200_000)
    let error: Error | undefined
    for (let depth = 0; depth < 10; depth += 1) {
      error = Object.assign(new Error(huge(), { cause: error }), { name: huge(), code: huge(), stack: huge() })
    }
    const message = { type: 'failed', error: errorToData(error) }
    t.ok(Buffer.byteLength(encode(message)) <= MESSAGE_LIMIT, `${JSON.stringify(letter)}: the message is too long`)
    t.notOk('refused' in checkUpward(message, 'worker'), JSON.stringify(letter))
  }
})

t.test('a text that was cut says so', async (t) => {
  const { message } = errorToData(new Error('x'.repeat(200_000)))
  t.match(message, /x … \(cut\)$/)
  t.ok(message.length < 20_000)
  t.equal(errorToData(new Error('x'.repeat(5_000))).message.length, 5_000)
})

t.test('the figures of a canary travel with its error, and with no other', async (t) => {
  const side = { requests: 9, errors: 1, errorRate: 1 / 9, aborted: 0, p99: 12.5, crashes: 0 }
  const figures = { soak: 1_000, elapsed: 900, enough: false, canary: side, old: side }
  const error = new MapacheError('MAPACHE_CANARY_FAILED', 'worse', { phase: 'canary' })
  t.notOk('figures' in error)
  error.figures = figures
  const back = errorFromData(JSON.parse(JSON.stringify(errorToData(error))))
  t.match(back, { code: 'MAPACHE_CANARY_FAILED', phase: 'canary', figures })
  t.strictSame(errorToData(Object.assign(new Error('not ours'), { figures })).figures, undefined)
})
