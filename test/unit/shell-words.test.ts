import t from 'tap'
import { threadArguments } from '#shell/server/custom.js'
import { Inbox, InputEnded, LineTooLong } from '#shell/server/inbox.js'
import { LineReader } from '#shell/server/lines.js'
import { describeError, oneLine, plain, table } from '#shell/server/text.js'
import { packError, packFields, unpackError, unpackFields } from '#shell/server/thread-messages.js'
import { nearest, splitWords } from '#shell/server/words.js'
import { duration } from '#shell/server/workers.js'

t.test('words of a line', async (t) => {
  for (const [line, words] of [
    ['', []],
    ['  \t ', []],
    ['foo 1 2  3 ', ['foo', '1', '2', '3']],
    [`foo 'a  b' "c d"`, ['foo', 'a  b', 'c d']],
    [`a"b c"d''`, ['ab cd']],
    [`'' ""`, ['', '']],
    [String.raw`a\ b \" "\"" '\'`, ['a b', '"', '"', '\\']],
    ['a\\', ['a\\']],
    ['$HOME * `x`', ['$HOME', '*', '`x`']]
  ] as const) {
    t.strictSame(splitWords(line), words, line)
  }
  for (const line of [`foo '`, `"a 'b'`]) t.throws(() => splitWords(line), /the quote .* is not closed/)
})

t.test('the nearest name', async (t) => {
  const names = ['worker info', 'worker list', 'reload', 'refork', 'scale', 'foo']
  t.equal(nearest('worker inof', names), 'worker info')
  t.equal(nearest('relaod', names), 'reload')
  t.equal(nearest('fo', names), 'foo')
  t.equal(nearest('bar', names), undefined)
  t.equal(nearest('', names), undefined)
  t.equal(nearest('x'.repeat(100_000), names), undefined)
})

t.test('lines of bytes, however they arrive', async (t) => {
  const reader = new LineReader(4)
  const said = (text: string) =>
    reader.push(Buffer.from(text)).map((input) => (input.type === 'line' ? input.bytes.toString() : input.type))
  t.strictSame(said('ab'), [])
  t.strictSame(said('c\nd\r\n\nef'), ['abc', 'd', ''])
  t.strictSame(said('gh'), [])
  t.strictSame(said('i'), ['too-long'])
  t.strictSame(said('j'.repeat(1_000)), [], 'said once')
  t.strictSame(said('\nok\n'), ['ok'])
  t.strictSame(said('ab\x03cd\n'), ['interrupt', 'cd'])
  t.strictSame(said('abcdef'), ['too-long'])
  t.strictSame(said('\x03gh\n'), ['interrupt', 'gh'])
  t.strictSame(said('last'), [])
  t.match(reader.end(), [{ type: 'line', bytes: Buffer.from('last') }])
  t.strictSame(reader.end(), [])
})

t.test('lines that wait', async (t) => {
  const inbox = new Inbox(200)
  const line = (text: string) => ({ type: 'line', bytes: Buffer.from(text) }) as const
  const first = inbox.take()
  t.ok(inbox.push(line('a')))
  t.equal(String(await first), 'a')
  t.ok(inbox.push(line('b')))
  t.ok(inbox.push({ type: 'too-long' }))
  t.equal(String(await inbox.take()), 'b')
  await t.rejects(inbox.take(), new LineTooLong())
  const gone = new AbortController()
  const taken = inbox.take(gone.signal)
  gone.abort(new Error('given up'))
  await t.rejects(taken, { message: 'given up' })
  t.ok(inbox.push(line('c')))
  t.notOk(inbox.push(line('x'.repeat(200))), 'too much')
  inbox.end()
  t.equal(String(await inbox.take()), 'c', 'what came is given out')
  inbox.clear()
  await t.rejects(inbox.take(), new InputEnded())
})

t.test('texts that a terminal must not obey', async (t) => {
  t.equal(plain('a\x1b[31mb\x1b[0m\x00c\td\ne\x85f'), 'abc\td\nef')
  t.equal(oneLine(' a\n\x07b\tc  d '), 'a b c d')
  t.equal(oneLine('x'.repeat(300)).length, 201)
  t.equal(
    table([
      ['A', 'B'],
      ['long', 7],
      ['x', 1234]
    ]),
    'A     B\nlong     7\nx     1234'
  )
  t.match(
    describeError(new Error('a', { cause: new TypeError('b\x1b[2J') })),
    /Error: a\n +at .*\ncaused by: TypeError: b\n/s
  )
  t.equal(describeError('just a text'), 'just a text')
})

t.test('durations', async (t) => {
  const texts = [850, 59_999, 60_000, 61_000, 3_600_000, 90_061_000, 86_400_000].map(duration)
  t.strictSame(texts, ['850ms', '59s', '1m', '1m 1s', '1h', '1d 1h', '1d'])
})

t.test('errors between threads', async (t) => {
  const cause = Object.assign(new TypeError('b'), { code: 'ENOENT' })
  const packed = structuredClone(packError(new Error('a', { cause })))
  t.match(unpackError(packed), { message: 'a', cause: { name: 'TypeError', message: 'b', code: 'ENOENT' } })
  const fields = unpackFields(structuredClone(packFields({ id: 1, error: new Error('c') })))
  t.match(fields, { id: 1, error: { message: 'c' } })
  t.equal(unpackFields(packFields(7)), 7)
})

t.test('what a thread has of the arguments for Node.js', async (t) => {
  const given = [
    '--max-old-space-size=100',
    '--import',
    'tsx',
    '--enable-source-maps',
    '--require=./a.cjs',
    '-C',
    'dev'
  ]
  t.strictSame(threadArguments(given), ['--import', 'tsx', '--require=./a.cjs', '-C', 'dev'])
})
