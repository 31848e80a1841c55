import t, { type Test } from 'tap'
import { MapacheError } from '#core/errors.js'
import { describeFailure, observed } from '#core/observed.js'

const failure = () => new MapacheError('MAPACHE_ADDRESS_IN_USE', '*:3000 is in use by another process (EADDRINUSE)')

/** Until what a promise under way leads to has happened. */
async function turn(): Promise<void> {
  for (let times = 0; times < 3; times += 1) await new Promise(setImmediate)
}

/** What is printed and with which code the process would end. */
function watch(t: Test): { printed: string[]; codes: unknown[] } {
  const seen = { printed: [] as string[], codes: [] as unknown[] }
  t.capture(console, 'error', (text: string) => seen.printed.push(text))
  t.capture(process, 'exit', ((code: unknown) => seen.codes.push(code)) as never)
  return seen
}

t.test('a failure that nobody waits for is printed and ends the process with code 1', async (t) => {
  const { printed, codes } = watch(t)
  observed(Promise.reject(failure()))
  await turn()
  t.strictSame(codes, [1])
  t.strictSame(printed, [
    'MAPACHE_ADDRESS_IN_USE: *:3000 is in use by another process (EADDRINUSE)\n' +
      '  Stop that process, or listen on another port, host or path.'
  ])
})

t.test('a failure that somebody waits for is theirs', async (t) => {
  const { printed, codes } = watch(t)
  const awaited = (async () => await observed(Promise.reject(failure())))()
  await t.rejects(awaited, { code: 'MAPACHE_ADDRESS_IN_USE' })
  observed(Promise.reject(failure())).catch(() => {})
  observed(Promise.reject(failure())).then(
    () => {},
    () => {}
  )
  await turn()
  t.strictSame([printed, codes], [[], []])
})

t.test('a callback gets the failure, or null', async (t) => {
  const { printed, codes } = watch(t)
  const got: unknown[] = []
  observed(Promise.reject(failure()), (error) => got.push(error))
  observed(Promise.resolve('cluster'), (error) => got.push(error))
  await turn()
  t.match(got.find(Boolean), { code: 'MAPACHE_ADDRESS_IN_USE' })
  t.ok(got.includes(null))
  t.strictSame([printed, codes], [[], []])
})

t.test('a success that nobody waits for says nothing', async (t) => {
  const { printed, codes } = watch(t)
  t.equal(await observed(Promise.resolve('cluster')), 'cluster')
  observed(Promise.resolve('cluster'))
  await turn()
  t.strictSame([printed, codes], [[], []])
})

t.test("a failure is described by what to change, with the app's own error whole", async (t) => {
  const cause = new TypeError('x is not a function')
  const error = new MapacheError('MAPACHE_BOOT_FAILED', 'no worker became ready', { cause })
  const [line, fix, ...rest] = describeFailure(error).split('\n')
  t.equal(line, 'MAPACHE_BOOT_FAILED: no worker became ready')
  t.equal(fix, `  ${error.fix}`)
  t.match(rest.join('\n'), /TypeError: x is not a function\n +at /)
  t.match(describeFailure(new RangeError('other')), /RangeError: other\n +at /)
  t.equal(describeFailure('text'), "'text'")
})
