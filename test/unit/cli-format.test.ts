import t from 'tap'
import { formatBytes, formatCount, formatDuration, formatRate, formatShare, plural } from '#cli/format.js'
import { hasColours, makeLook } from '#cli/look.js'
import { toJson } from '#cli/output.js'
import { plain, plainData, plainLines } from '#cli/plain.js'
import { clip, pad, table } from '#cli/text.js'
import { bar, sparkline } from '#cli/top/bars.js'

t.test('durations', async (t) => {
  const shown: [number, string][] = [
    [-5, '0ms'],
    [0, '0ms'],
    [412.4, '412ms'],
    [999, '999ms'],
    [1_000, '1.0s'],
    [9_940, '9.9s'],
    [9_960, '10s'],
    [59_499, '59s'],
    [59_600, '1m'],
    [61_000, '1m 1s'],
    [3_599_700, '1h'],
    [2 * 3_600_000 + 3 * 60_000, '2h 3m'],
    [86_400_000, '1d'],
    [3 * 86_400_000 + 4 * 3_600_000 + 59_000, '3d 4h']
  ]
  for (const [ms, text] of shown) t.equal(formatDuration(ms), text, String(ms))
})

t.test('sizes, counts, rates and shares', async (t) => {
  const bytes: [number | undefined, string][] = [
    [undefined, '-'],
    [0, '0B'],
    [1_023, '1023B'],
    [1_024, '1.0K'],
    [52_428_800, '50M'],
    [999.6 * 2 ** 20, '1.0G'],
    [3.25 * 2 ** 30, '3.3G']
  ]
  for (const [amount, text] of bytes) t.equal(formatBytes(amount), text, String(amount))
  const counts: [number | undefined, string][] = [
    [undefined, '-'],
    [9_999, '9999'],
    [10_000, '10k'],
    [123_456, '123k'],
    [999_700, '1.0M'],
    [7_500_000_000, '7.5G']
  ]
  for (const [count, text] of counts) t.equal(formatCount(count), text, String(count))
  t.strictSame([undefined, 0, 0.26, 9.96, 42.4, 12_345].map(formatRate), ['-', '0', '0.3', '10', '42', '12k'])
  t.strictSame([undefined, -1, 0.004, 0.126, 1.5].map(formatShare), ['-', '0%', '0%', '13%', '100%'])
  t.strictSame(
    [plural(1, 'worker'), plural(2, 'worker'), plural(0, 'process', 'processes')],
    ['1 worker', '2 workers', '0 processes']
  )
})

t.test('texts are cut and filled by the columns that they take', async (t) => {
  t.equal(clip('abcdef', 4), 'abc…')
  t.equal(clip('abcd', 4), 'abcd')
  t.equal(clip('你好吗', 4), '你…')
  t.equal(clip('abc', 0), '')
  t.equal(pad('你', 4), '你  ')
  t.equal(pad('7', 3, 'right'), '  7')
  t.equal(plain('a\x1b[31mb\x1b[0m\nc\x07'), 'ab c ')
  t.strictSame(
    table(
      [{ title: 'A' }, { title: 'N', side: 'right' }, { title: 'Z' }],
      [
        ['x', '1', ''],
        ['long', '100', 'z']
      ]
    ),
    ['A       N  Z', 'x       1', 'long  100  z']
  )
})

t.test('bars and strips', async (t) => {
  t.strictSame(
    [0, 0.5, 1, 2, -1].map((share) => bar(share, 4)),
    ['····', '██··', '████', '████', '····']
  )
  t.equal(bar(0.1, 4), '▍···')
  t.equal(sparkline([]), '')
  t.equal(sparkline([0, 0]), '▁▁')
  t.equal(sparkline([0, 0.01, 50, 100]), '▁▂▅█')
})

t.test('colours as the environment says, else on a terminal alone', async (t) => {
  t.equal(hasColours(true, {}), true)
  t.equal(hasColours(false, {}), false)
  t.equal(hasColours(true, { NO_COLOR: '1' }), false)
  t.equal(hasColours(true, { TERM: 'dumb' }), false)
  t.equal(hasColours(false, { FORCE_COLOR: '1' }), true)
  t.equal(hasColours(true, { FORCE_COLOR: '0' }), false)
  t.equal(hasColours(false, { FORCE_COLOR: '', NO_COLOR: '1' }), true)
  t.equal(makeLook(true).red('x'), '\x1b[31mx\x1b[39m')
  t.equal(makeLook(false).red('x'), 'x')
})

t.test('of foreign texts a terminal obeys nothing', async (t) => {
  const evil = 'a\x1b[2J\x1b]0;title\x07b\u009b31mc\r\x08d\tend\n  at e'
  t.equal(plainLines(evil), 'abc d\tend\n  at e')
  const error = new Error(evil)
  const data = { name: evil, of: [{ pid: 1, gone: undefined, nothing: null, error }] }
  const made = plainData(data)
  t.strictSame(made, { name: 'abc d end   at e', of: [{ pid: 1, gone: undefined, nothing: null, error }] })
  t.equal(made.of[0]?.error, error, 'an error is left as it is')
  t.equal(data.name, evil, 'what was given is left as it is')
})

t.test('JSON has no control characters, and says the same', async (t) => {
  const value = { message: '\x1b[2J\x7f\x80\u009b31m\xa0é\n' }
  t.notMatch(toJson(value), /\p{Cc}/u)
  t.strictSame(JSON.parse(toJson(value)), value)
})
