import t from 'tap'
import type { Effect } from '#core/cluster/plan.js'
import { errorToData, MapacheError } from '#core/errors.js'
import { failureOf, giveUp, Requests } from '#core/supervisor/requests.js'

type Failed = Extract<Effect, { do: 'failed' }>

function failed(phase: Failed['phase'], error: Error, timedOut = false): Failed {
  return { do: 'failed', request: 1, generation: 2, phase, timedOut, error: errorToData(error) }
}

t.test('a reload that is done tells its generation and how long it took', async (t) => {
  const requests = new Requests()
  const first = requests.open(1_000)
  const second = requests.open(1_500)
  t.not(first.request, second.request)
  t.strictSame(requests.done(second.request, 3, 2_100.4), { generation: 3, duration: 600 })
  t.strictSame(await second.result, { generation: 3, duration: 600 })
  requests.fail(first.request, new MapacheError('MAPACHE_STOPPING', 'no'))
  await t.rejects(first.result, { code: 'MAPACHE_STOPPING' })
})

t.test('a reload has one outcome, and one that nobody asked for none', async (t) => {
  const requests = new Requests()
  const { request, result } = requests.open(0)
  requests.done(request, 2, 10)
  requests.fail(request, new MapacheError('MAPACHE_STOPPING', 'no'))
  t.match(await result, { generation: 2 })
  t.match(requests.done(request, 3, 50), { duration: 0 })
  t.doesNotThrow(() => requests.fail(99, new MapacheError('MAPACHE_STOPPING', 'no')))
})

t.test('a failure that nobody waits for is no unhandled rejection', async (t) => {
  const requests = new Requests()
  requests.fail(requests.open(0).request, new MapacheError('MAPACHE_STOPPING', 'no'))
  await new Promise(setImmediate)
  t.pass('this process would have ended')
})

t.test('each phase has its error, with the error of the app as its cause', async (t) => {
  const app = new TypeError('x is not a function\nand more lines')
  const cases: [Failed, code: string, text: string][] = [
    [failed('boot', app), 'MAPACHE_BOOT_FAILED', 'generation 2 did not boot: TypeError: x is not a function'],
    [failed('roll', app), 'MAPACHE_BOOT_FAILED', 'generation 2 did not boot: TypeError: x is not a function'],
    [
      failed('settle', app),
      'MAPACHE_SETTLE_FAILED',
      'generation 2 ended within settle: TypeError: x is not a function'
    ],
    [failed('prepare', app), 'MAPACHE_BOOT_FAILED', 'generation 2 did not boot: TypeError: x is not a function'],
    [failed('boot', new Error('late'), true), 'MAPACHE_BOOT_TIMEOUT', 'generation 2: late'],
    [failed('settle', new Error('late'), true), 'MAPACHE_BOOT_TIMEOUT', 'generation 2: late']
  ]
  for (const [effect, code, text] of cases) {
    const error = failureOf(effect)
    t.match(error, { code, message: `${code}: ${text}`, phase: effect.phase, cause: { message: effect.error.message } })
    t.equal(error.stack, `MapacheError: ${code}: ${text}`, 'without the frames of Mapache')
  }
})

t.test('what kept a generation from being prepared is itself the error', async (t) => {
  const error = failureOf(failed('prepare', new MapacheError('MAPACHE_ENTRY_MISSING', '/app.js does not exist')))
  t.match(error, {
    code: 'MAPACHE_ENTRY_MISSING',
    message: 'MAPACHE_ENTRY_MISSING: /app.js does not exist',
    phase: 'prepare'
  })
})

t.test('a start that is given up says after how many attempts, and why', async (t) => {
  const error = errorToData(new Error('no database'))
  t.match(giveUp({ do: 'give-up', error, timedOut: false }, 3), {
    code: 'MAPACHE_BOOT_FAILED',
    message: 'MAPACHE_BOOT_FAILED: no worker became ready in 3 attempts: no database',
    phase: 'boot',
    cause: { message: 'no database' }
  })
  t.match(giveUp({ do: 'give-up', error, timedOut: true }, 1), { code: 'MAPACHE_BOOT_TIMEOUT' })
})

t.test('of a canary that is worse the verdict is the error, of one that ended its end is the cause', async (t) => {
  const verdict = new MapacheError('MAPACHE_CANARY_FAILED', 'generation 2 is worse than generation 1: it is slow')
  const worse = failureOf(failed('canary', verdict))
  t.match(worse, { code: 'MAPACHE_CANARY_FAILED', message: verdict.message, phase: 'canary', cause: undefined })
  const ended = failureOf(failed('canary', new RangeError('no more')))
  t.match(ended, {
    message: 'MAPACHE_CANARY_FAILED: the canary of generation 2 failed: RangeError: no more',
    phase: 'canary',
    cause: { name: 'RangeError' }
  })
  for (const { stack, message } of [worse, ended]) t.equal(stack, `MapacheError: ${message}`)
})

t.test('a reload that had a canary tells how that held out', async (t) => {
  const requests = new Requests()
  const { request, result } = requests.open(0)
  const side = { requests: 0, errors: 0, errorRate: 0, aborted: 0, crashes: 0 }
  const canary = { soak: 1_000, elapsed: 1_000, enough: false, canary: side, old: side }
  requests.done(request, 2, 5, canary)
  t.strictSame(await result, { generation: 2, duration: 5, canary })
})
