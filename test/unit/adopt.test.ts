import { availableParallelism } from 'node:os'
import t from 'tap'
import { type MapacheOptions, normaliseOptions, type ReportedOptions, type Settings } from '#core/options.js'
import { adoptOptions } from '#core/supervisor/adopt.js'
import { OptionsInForce } from '#core/supervisor/options-in-force.js'
import type { SupervisorParts } from '#core/supervisor/supervisor.js'

const CORES = availableParallelism()

/** What a supervisor has in force whose code said `before`, with what was changed by hand since. */
function inForce(before: ReportedOptions, byHand: Partial<Settings> = {}): Settings {
  return Object.freeze({ ...normaliseOptions(before), ...byHand })
}

t.test('what the code changed is taken over, and said', async (t) => {
  const before = { workers: 2, backoff: { min: 100 } }
  const after = { workers: 4, backoff: { min: 200 }, envFile: '.env', control: true }
  const { settings, changed, held } = adoptOptions(inForce(before), before, after, {})
  t.match(settings, { workers: 4, backoff: { min: 200, max: 30_000 }, envFile: '.env', control: true })
  t.strictSame(changed, [
    'workers 2 → 4',
    'backoff {"min":100,"max":30000} → {"min":200,"max":30000}',
    'envFile none → ".env"',
    'control false → true'
  ])
  t.strictSame(held, [])
  t.ok(Object.isFrozen(settings))
})

t.test('what the code says as before changes nothing', async (t) => {
  const before = { workers: 2, settle: 50 }
  const { settings, changed } = adoptOptions(inForce(before), before, { ...before }, {})
  t.strictSame(settings, inForce(before))
  t.strictSame(changed, [])
})

t.test('what was scaled by hand stays while the code says what it said before', async (t) => {
  const before = { workers: 2 }
  const current = inForce(before, { workers: 7 })
  t.equal(adoptOptions(current, before, { workers: 2, settle: 5 }, {}).settings.workers, 7)
  t.equal(adoptOptions(current, {}, {}, {}).settings.workers, 7)
})

t.test('what was scaled by hand is changed by code that says something new', async (t) => {
  const before = { workers: 2 }
  const { settings, changed } = adoptOptions(inForce(before, { workers: 7 }), before, { workers: 3 }, {})
  t.equal(settings.workers, 3)
  t.strictSame(changed, ['workers 7 → 3'])
})

t.test('code that says what was set by hand already changes nothing, and says nothing', async (t) => {
  const before = { workers: 2 }
  const { changed } = adoptOptions(inForce(before, { workers: 7 }), before, { workers: 7 }, {})
  t.strictSame(changed, [])
})

t.test('an option that the code leaves out now has its default again', async (t) => {
  const before = { workers: CORES + 1, settle: 50 }
  const { settings, changed } = adoptOptions(inForce(before), before, {}, {})
  t.match(settings, { workers: CORES, settle: 1_000 })
  t.strictSame(changed, [`workers ${CORES + 1} → ${CORES}`, 'settle 50 → 1000'])
})

t.test("an option that is its default in other words ('auto') is no change", async (t) => {
  t.strictSame(adoptOptions(inForce({}), {}, { workers: 'auto' }, {}).changed, [])
  t.strictSame(adoptOptions(inForce({}), {}, { workers: CORES, backoff: {} }, {}).changed, [])
})

t.test(
  'the first report is taken over where it says something, for the supervisor may not have read the code',
  async (t) => {
    const current = inForce({})
    const { settings, changed } = adoptOptions(current, undefined, { settle: 5, drainTimeout: 90_000 }, {})
    t.equal(settings.settle, 5)
    t.strictSame(changed, ['settle 1000 → 5'])
    t.strictSame(adoptOptions(inForce({ settle: 5 }), undefined, {}, {}).changed, [], 'what it leaves out stays')
  }
)

t.test('an option that was given from outside is not changed by code', async (t) => {
  const pinned = { workers: 3 }
  const current = inForce(pinned)
  for (const before of [undefined, {}, { workers: 5 }]) {
    const { settings, changed } = adoptOptions(current, before, { workers: 8, settle: 5 }, pinned)
    t.equal(settings.workers, 3)
    t.strictSame(changed, ['settle 1000 → 5'])
  }
})

t.test('an option that was given from outside and scaled by hand since stays as scaled', async (t) => {
  const pinned = { workers: 3 }
  const current = inForce(pinned, { workers: 6 })
  for (const before of [undefined, { workers: 1 }]) {
    t.equal(adoptOptions(current, before, { workers: 2 }, pinned).settings.workers, 6)
  }
})

t.test('options that hold until the next start are told and not changed', async (t) => {
  const before = { backlog: 511, name: 'shop' }
  const { settings, changed, held } = adoptOptions(inForce(before), before, { backlog: 128, name: 'till' }, {})
  t.match(settings, { backlog: 511, name: 'shop' })
  t.strictSame(changed, [])
  t.strictSame(held, ['backlog 511 → 128', 'name "shop" → "till"'])
})

t.test('an option that holds and that the code leaves out, or has as before, is not told', async (t) => {
  const before = { backlog: 511 }
  t.strictSame(adoptOptions(inForce(before), before, {}, {}).held, [])
  t.strictSame(adoptOptions(inForce(before), before, { backlog: 511 }, {}).held, [])
  t.strictSame(adoptOptions(inForce(before), before, { backlog: 9 }, { backlog: 511 }).held, [], 'given from outside')
})

t.test('options that are invalid together are refused as a whole', async (t) => {
  const current = inForce({})
  t.throws(() => adoptOptions(current, {}, { workers: 2, settle: -1 }, {}), { code: 'MAPACHE_OPTION_INVALID' })
  t.equal(current.workers, CORES)
})

t.test('what was scaled ahead of the first report stays, and the rest of the report counts', async (t) => {
  const inForce = inForceOf(2)
  inForce.scale(3)
  t.equal(inForce.adopt({ workers: 2, settle: 50 }, {}), true)
  t.match(inForce.planned, { workers: 3, settle: 50 })
  inForce.adopt({ workers: 4, settle: 50 }, {})
  t.match(inForce.planned, { workers: 4 })
})

t.test('a range starts from its least, follows the load, and goes on from there after a pin', async (t) => {
  const inForce = inForceOf({ min: 2, max: 6 })
  t.equal(inForce.planned.workers, 2)
  inForce.follow(4)
  t.equal(inForce.planned.workers, 4)
  t.equal(inForce.scale(7), 7)
  t.ok(inForce.pinned)
  t.equal(inForce.scale('auto'), 7)
  t.notOk(inForce.pinned)
})

t.test('new code that brings a range begins with as many as there are, and another number ends it', async (t) => {
  const inForce = inForceOf(3)
  inForce.adopt({ workers: 3 }, {})
  t.equal(inForce.range, undefined)
  inForce.adopt({ workers: { min: 1, max: 8 } }, {})
  t.match(inForce.range, { min: 1, max: 8 })
  t.equal(inForce.planned.workers, 3)
  inForce.adopt({ workers: { min: 5 } }, {})
  t.equal(inForce.planned.workers, 5)
  inForce.scale(6)
  inForce.adopt({ workers: { min: 5 }, settle: 5 }, {})
  t.equal(inForce.planned.workers, 6, 'the same range leaves what was set by hand')
  inForce.adopt({ workers: 2 }, {})
  t.match(inForce, { pinned: false, range: undefined })
  t.equal(inForce.planned.workers, 2)
})

function inForceOf(workers: MapacheOptions['workers']): OptionsInForce {
  const settings = normaliseOptions({ workers })
  const parts = { settings, fixed: {}, molds: undefined, modules: {}, log: { info() {} } }
  return new OptionsInForce(parts as unknown as SupervisorParts)
}
