import t from 'tap'
import {
  CHANGEABLE,
  checkWorkers,
  FIXED,
  type MapacheOptions,
  nearestName,
  normaliseOptions,
  rangeOf,
  reportedOptions,
  show
} from '#core/options.js'
import { parallelism } from '#core/supervisor/limits.js'

const DEFAULTS = {
  workers: parallelism(),
  policy: undefined,
  spare: 'auto',
  bootTimeout: 30_000,
  bootAttempts: 3,
  settle: 1_000,
  canary: false,
  drainTimeout: 90_000,
  setup: undefined,
  teardown: undefined,
  setupTimeout: 600_000,
  stopIdleGrace: 1_000,
  backoff: { min: 100, max: 30_000 },
  hangTimeout: 30_000,
  maxRequests: 0,
  maxAge: 0,
  maxMemory: 0,
  diagnostics: undefined,
  surge: 1,
  maxRetiring: 2,
  backlog: 4_096,
  boot: 'auto',
  strict: false,
  preload: [],
  rollbackWindow: 60_000,
  rollbackShare: 0.5,
  refork: { after: [] },
  envFile: undefined,
  name: undefined,
  control: false,
  modules: [],
  services: [],
  log: {}
}

t.test('without options every one has its default', async (t) => {
  for (const none of [undefined, {}]) t.strictSame(normaliseOptions(none), DEFAULTS)
})

t.test('an option that is undefined has its default', async (t) => {
  const undefineds = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, undefined]))
  t.strictSame(normaliseOptions(undefineds), DEFAULTS)
  t.strictSame(normaliseOptions({ backoff: { min: undefined, max: 500 } }).backoff, { min: 100, max: 500 })
})

t.test('settings are frozen, with what is in them', async (t) => {
  const settings = normaliseOptions({ modules: [{ name: 'one' }] })
  for (const part of [settings, settings.backoff, settings.modules]) t.ok(Object.isFrozen(part))
  t.throws(() => Object.assign(settings, { workers: 9 }), TypeError)
})

t.test('what is passed is neither frozen nor changed nor kept', async (t) => {
  const modules = [{ name: 'one' }]
  const options = { workers: 2, backoff: { min: 5 }, modules }
  const settings = normaliseOptions(options)
  t.notOk([options, options.backoff, modules].some(Object.isFrozen))
  t.strictSame(options, { workers: 2, backoff: { min: 5 }, modules: [{ name: 'one' }] })
  modules.push({ name: 'two' })
  t.equal(settings.modules.length, 1)
})

const VALID: [name: string, value: unknown, kept?: unknown][] = [
  ['workers', 1],
  ['workers', 512],
  ['workers', 'auto', parallelism()],
  ['spare', 'auto'],
  ['spare', 0],
  ['spare', 3],
  ['bootTimeout', 1],
  ['bootTimeout', 2_147_483_647],
  ['bootAttempts', 1],
  ['settle', 0],
  ['canary', false],
  ['canary', {}, { soak: 30_000, maxErrorRate: 0.01, maxLatencyRatio: 2, minRequests: 100 }],
  ['canary', { soak: 1_000, maxErrorRate: 0, maxLatencyRatio: 1, minRequests: 1 }],
  ['canary', { maxErrorRate: 1 }, { soak: 30_000, maxErrorRate: 1, maxLatencyRatio: 2, minRequests: 100 }],
  ['drainTimeout', 0],
  ['setup', './migrate.js'],
  ['setup', new URL('file:///app/migrate.js')],
  ['teardown', () => {}],
  ['setupTimeout', 0],
  ['stopIdleGrace', 0],
  ['backoff', {}, { min: 100, max: 30_000 }],
  ['backoff', { min: 200 }, { min: 200, max: 30_000 }],
  ['backoff', { max: 100 }, { min: 100, max: 100 }],
  ['backoff', { min: 1, max: 1 }],
  ['hangTimeout', 0],
  ['hangTimeout', 2_000],
  ['surge', 1],
  ['surge', 8],
  ['maxRetiring', 1],
  ['backlog', 1],
  ['boot', 'auto'],
  ['boot', 'fork'],
  ['boot', 'spawn'],
  ['strict', true],
  ['preload', ['./heavy.js', 'pg']],
  ['rollbackWindow', 0],
  ['rollbackShare', 0],
  ['rollbackShare', 1],
  ['refork', {}, { after: [] }],
  ['refork', { after: [1_000, 50] }, { after: [50, 1_000] }],
  ['envFile', '.env'],
  ['name', 'shop'],
  ['control', true],
  ['modules', []],
  ['log', false],
  ['log', 'silent'],
  ['log', 'debug'],
  ['log', {}],
  ['log', { level: 'warn', format: 'json' }]
]

t.test('valid values are kept as they are', async (t) => {
  for (const [name, value, kept = value] of VALID) {
    t.strictSame(normaliseOptions({ [name]: value }), { ...DEFAULTS, [name]: kept }, `${name}: ${show(value)}`)
  }
})

t.test('a logger of the user is kept as it is', async (t) => {
  const logger = { debug() {}, info() {}, warn() {}, error() {}, child() {} }
  t.equal(normaliseOptions({ log: logger }).log, logger)
})

t.test('an unknown name is refused, with the name that may have been meant', async (t) => {
  const names: [string, string | undefined][] = [
    ['worker', 'workers'],
    ['wokers', 'workers'],
    ['Workers', 'workers'],
    ['WORKERS', 'workers'],
    ['spares', 'spare'],
    ['drainTimout', 'drainTimeout'],
    ['draintimeout', 'drainTimeout'],
    ['envfile', 'envFile'],
    ['module', 'modules'],
    ['logs', 'log'],
    ['bootAttempt', 'bootAttempts'],
    ['instances', undefined],
    ['timeout', undefined],
    ['x', undefined],
    ['toString', undefined],
    ['constructor', undefined],
    ['hasOwnProperty', undefined]
  ]
  for (const [name, meant] of names) {
    const message = `MAPACHE_OPTION_INVALID: ${name} is not an option${meant ? `; did you mean '${meant}'?` : ''}`
    t.throws(() => normaliseOptions({ [name]: 1 }), { code: 'MAPACHE_OPTION_INVALID', message }, name)
  }
})

t.test('an unknown name that is undefined is refused as well', async (t) => {
  t.throws(() => normaliseOptions({ wokers: undefined }), /wokers is not an option; did you mean 'workers'\?/)
})

t.test('__proto__ from a JSON file is no option', async (t) => {
  const options = JSON.parse('{ "__proto__": { "workers": 4 } }')
  t.throws(() => normaliseOptions(options), { message: 'MAPACHE_OPTION_INVALID: __proto__ is not an option' })
  t.equal(({} as { workers?: unknown }).workers, undefined)
})

t.test('an unknown name within an option is refused by its path', async (t) => {
  t.throws(() => normaliseOptions({ backoff: { mni: 1 } }), {
    message: 'MAPACHE_OPTION_INVALID: backoff.mni is not an option'
  })
})

t.test("the adapter's own options are let through and are no settings", async (t) => {
  t.strictSame(normaliseOptions({ workers: 3, server: () => {}, trust: 1 }, ['server', 'trust']), {
    ...DEFAULTS,
    workers: 3
  })
  t.throws(() => normaliseOptions({ server: 1 }), { message: 'MAPACHE_OPTION_INVALID: server is not an option' })
  t.throws(() => normaliseOptions({ sever: 1 }, ['server']), /sever is not an option; did you mean 'server'\?/)
})

t.test('what is no object of options is refused', async (t) => {
  for (const value of [null, 4, 'auto', true, () => {}, 1n, Symbol('options')]) {
    const message = `MAPACHE_OPTION_INVALID: options must be an object, got ${show(value)}`
    t.throws(() => normaliseOptions(value), { message })
  }
})

t.test('what a worker reports are the options that were given and can travel', async (t) => {
  t.strictSame(reportedOptions(undefined), {})
  const given = {
    workers: 2,
    name: 'shop',
    backoff: { min: 1 },
    log: 'debug',
    modules: [],
    server() {},
    envFile: undefined
  }
  t.strictSame(reportedOptions(given), { workers: 2, name: 'shop', backoff: { min: 1 } })
})

t.test('every option that is plain data is reported, as changeable or as fixed', async (t) => {
  const others = ['setup', 'teardown', 'policy', 'modules', 'services', 'log']
  const names = Object.keys(DEFAULTS).filter((name) => !others.includes(name))
  t.strictSame([...CHANGEABLE, ...FIXED].sort(), names.sort())
})

t.test('the nearest name is at most two letters away', async (t) => {
  const known = ['workers', 'spare', 'surge']
  t.equal(nearestName('wrkers', known), 'workers')
  t.equal(nearestName('wrkrs', known), 'workers')
  t.equal(nearestName('wrks', known), undefined)
  t.equal(nearestName('surg', known), 'surge')
  t.equal(nearestName('', known), undefined)
  t.equal(nearestName('workers', []), undefined)
})

t.test('a value is shown in an error on one line of bounded length', async (t) => {
  t.equal(show('x'), "'x'")
  t.equal(show({ a: { b: { c: 1 } } }), '{ a: { b: [Object] } }')
  t.equal(show(Array(500).fill('long')).length, 121)
  for (const value of [{ text: Array(50).fill('word') }, new Error('no'), 'a\nb', ['a\nb']]) {
    t.notMatch(show(value), /\n/)
  }
})

t.test('a range has its defaults, and a policy without one goes from 1 to the number', async (t) => {
  const range = (options: MapacheOptions) => rangeOf(normaliseOptions(options))
  t.equal(range({ workers: 3 }), undefined)
  t.strictSame(range({ workers: {} }), { min: 1, max: 'auto', minSpare: 0.5, maxSpare: 1.75 })
  t.strictSame(range({ workers: { min: 2, minSpare: 2 } }), { min: 2, max: 'auto', minSpare: 2, maxSpare: 3.25 })
  t.strictSame(range({ workers: { maxSpare: 0.25 } }), { min: 1, max: 'auto', minSpare: 0.25, maxSpare: 0.25 })
  t.match(range({ workers: 3, policy: () => 1 }), { min: 1, max: 3 })
  t.match(range({ workers: { min: 2, max: 3 }, policy: () => 1 }), { min: 2, max: 3 })
  t.equal(checkWorkers('auto'), 'auto')
  for (const wrong of [0, '2', null, undefined, { min: 1 }, [2]]) {
    t.throws(() => checkWorkers(wrong), { code: 'MAPACHE_OPTION_INVALID' })
  }
})
