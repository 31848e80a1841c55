import t from 'tap'
import { bytesOf } from '#core/bytes.js'
import { due, type Watched } from '#core/cluster/health.js'
import type { Member } from '#core/cluster/roster.js'
import { type Check, checkOf, HealthChecks, type HealthOption, makeCheck } from '#core/worker/health.js'
import { toMember } from './cluster-kit.js'

const none = { maxRequests: 0, maxAge: 0, maxMemory: 0 }

/** `w g1 p1 serving`, as in the tables of reconcile, with figures. */
function watched(
  texts: readonly string[],
  figures: readonly Partial<Watched>[] = [],
  more: Partial<Member>[] = []
): Watched[] {
  return texts.map((text, index) => ({
    member: { ...toMember(text, index + 1), ...more[index] },
    draw: 0,
    requests: 0,
    memory: 0,
    ...figures[index]
  }))
}
const two = ['w g1 p1 serving', 'w g1 p2 serving']

t.test('without limits, and below them, nobody is due', async (t) => {
  t.equal(due(watched(two, [{ requests: 1e9, memory: 1e12 }]), none, 2, 1e9), undefined)
  const limits = { maxRequests: 100, maxAge: 1_000, maxMemory: 1_000 }
  t.equal(due(watched(two, [{ requests: 99, memory: 999 }]), limits, 2, 999), undefined)
})

t.test('each limit, with its figure and the own limit of the worker', async (t) => {
  t.strictSame(due(watched(two, [{}, { requests: 100 }]), { ...none, maxRequests: 100 }, 2, 0), {
    id: 2,
    because: 'maxRequests',
    figure: 100,
    limit: 100
  })
  t.match(due(watched(two, [{}, { memory: 900, draw: 0.5 }]), { ...none, maxMemory: 1_000 }, 2, 0), {
    id: 2,
    because: 'maxMemory',
    figure: 900,
    limit: 900
  })
  t.match(due(watched(two, [{ draw: 0.999 }]), { ...none, maxAge: 1_000 }, 2, 801), {
    id: 1,
    because: 'maxAge',
    limit: 800
  })
  t.equal(
    due(watched(two, [{ draw: 0.999 }]), { ...none, maxAge: 1_000 }, 2, 799),
    undefined,
    'never by more than a fifth'
  )
})

t.test('of several the one that was launched first', async (t) => {
  const more = [{ launchedAt: 20 }, { launchedAt: 10 }]
  t.equal(due(watched(two, [], more), { ...none, maxAge: 100 }, 2, 1_000)?.id, 2)
})

t.test('never one while another is being replaced, or fewer serve than should', async (t) => {
  const limits = { ...none, maxAge: 100 }
  for (const [what, other] of [
    ['stale', 'w g1 p2 serving stale'],
    ['killed', 'w g1 p2 serving killed'],
    ['booting', 'w g1 p2 launching'],
    ['about to serve', 'w g1 p2 ready activated']
  ] as const) {
    t.equal(due(watched(['w g1 p1 serving', 'w g1 p1 serving', other]), limits, 2, 1_000), undefined, what)
  }
  t.equal(due(watched(two), limits, 3, 1_000), undefined, 'fewer serve')
  t.equal(due(watched(two, [], [{}, { unproved: true }]), limits, 2, 1_000), undefined, 'one has not passed its check')
  const draining = [...two, 'w g1 p1 retiring']
  t.equal(due(watched(draining), limits, 2, 1_000)?.id, 1, 'one that drains is no reason to wait')
})

t.test('a spare is due for its age alone', async (t) => {
  const members = [...two, 'w g1 p3 ready']
  const figures = [{}, {}, { requests: 500, memory: 500 }]
  t.equal(due(watched(members, figures), { maxAge: 0, maxRequests: 100, maxMemory: 100 }, 2, 0), undefined)
  t.equal(
    due(watched(members, [], [{ launchedAt: 900 }, { launchedAt: 900 }]), { ...none, maxAge: 500 }, 2, 1_000)?.id,
    3
  )
})

t.test('who is unhealthy goes first, the longest so first of all', async (t) => {
  const more = [{}, { unhealthySince: 50 }, { unhealthySince: 40 }]
  const found = due(watched([...two, 'w g1 p3 serving'], [], more), { ...none, maxAge: 10 }, 3, 100)
  t.strictSame(found, { id: 3, because: 'unhealthy', figure: 60, limit: 0 })
})

/** Runs checks, each with its results in turn; the last one is repeated. @returns what was reported, once there is so much */
async function reports(count: number, ...checks: [results: (() => unknown)[], timing: Partial<Check>][]) {
  const told: string[] = []
  let done = () => {}
  const enough = new Promise<void>((resolve) => {
    done = resolve
  })
  const health = new HealthChecks((healthy, error) => {
    told.push(healthy ? 'healthy' : (error?.message ?? ''))
    if (told.length === count) done()
  })
  // Its timers keep nothing alive.
  const alive = setInterval(() => {}, 1_000)
  for (const [results, timing] of checks) {
    let at = 0
    const run = () => results[Math.min(at++, results.length - 1)]?.()
    health.start(makeCheck(run, { interval: 1, timeout: 20, failures: 2, ...timing }))
  }
  await enough
  health.stop()
  clearInterval(alive)
  return told
}

const good = () => true
const bad = () => false
const throws = () => {
  throw new Error('down')
}
const rejects = async () => throws()
const hangs = () => new Promise(() => {})

t.test('a check: healthy, unhealthy after failures in a row, healthy again; only changes are reported', async (t) => {
  t.strictSame(await reports(3, [[good, good, bad, good, bad, bad, bad, good], {}]), [
    'healthy',
    'its health check returned false',
    'healthy'
  ])
})

t.test('what fails: false, an error, a rejection, no answer in time; what does not: anything else', async (t) => {
  for (const [fault, message] of [
    [bad, 'its health check returned false'],
    [throws, 'down'],
    [rejects, 'down'],
    [hangs, 'its health check did not answer within 20 ms']
  ] as const) {
    t.strictSame(await reports(1, [[fault], {}]), [message])
  }
  for (const value of [undefined, 0, '', null]) t.strictSame(await reports(1, [[() => value], {}]), ['healthy'])
})

t.test('of several checks all have to pass, and one is enough to be unhealthy', async (t) => {
  const slow = () => new Promise((resolve) => setTimeout(resolve, 10))
  const last = [slow, throws, throws, good]
  t.strictSame(await reports(3, [[good], {}], [last, {}]), ['healthy', 'down', 'healthy'])
})

t.test('a check of a module, or of an entry, is refused as that of the options is', async (t) => {
  const invalid = { code: 'MAPACHE_OPTION_INVALID', message: /health must be a function or/ }
  for (const wrong of [{ interval: '10s' }, { timeout: 3e9 }, { interval: 0 }, { failures: 0.5 }, { every: 5 }]) {
    t.throws(() => checkOf({ check: good, ...wrong } as HealthOption, {}), invalid, JSON.stringify(wrong))
    t.throws(() => makeCheck(good, wrong as Partial<Check>), invalid)
  }
  t.throws(() => makeCheck(5 as never), invalid)
  t.match(checkOf({ check: good, interval: 5 }, {}), { interval: 5, timeout: 5_000, failures: 3 })
})

t.test('bytes as texts', async (t) => {
  const MB = 1_024 ** 2
  const valid = [
    [0, 0],
    [5, 5],
    ['1kb', 1_024],
    ['512mb', 512 * MB],
    ['1.5 GB', 1_536 * MB],
    ['2MiB', 2 * MB]
  ] as const
  for (const [given, bytes] of valid) t.equal(bytesOf(given), bytes, String(given))
  for (const given of [-1, 0.5, Number.NaN, '', '512', 'mb', '1tb', '-1mb', '1mbs', '99999999999gb']) {
    t.equal(bytesOf(given), undefined, String(given))
  }
})
