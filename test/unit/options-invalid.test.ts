import t from 'tap'
import { normaliseOptions } from '#core/options.js'

const LONGEST = 2 ** 31 - 1
const ms = (least: number) => `must be a whole number of milliseconds from ${least} to ${LONGEST}`
const POSITIVE = 'must be a positive integer'
const WORKERS = "must be a positive integer, 'auto' or { min, max }"
const HANG = 'must be 0 (off) or at least 2000: workers report once a second'
const LOG = "must be a pino level, false, { level, format: 'auto' | 'json' | 'line' } or a pino logger"

/** Values that are no number at all. */
const NONSENSE: [unknown, string][] = [
  [null, 'null'],
  ['', "''"],
  ['4', "'4'"],
  [true, 'true'],
  [[], '[]'],
  [{}, '{}'],
  [4n, '4n'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [1.5, '1.5'],
  [-1, '-1'],
  [-0.5, '-0.5'],
  [2 ** 53, '9007199254740992']
]
const ZERO: [unknown, string] = [0, '0']
const TOO_LONG: [unknown, string] = [LONGEST + 1, '2147483648']

const cases: [name: string, must: string, values: [unknown, string][]][] = [
  // An empty range is one with all its defaults.
  ['workers', WORKERS, [...NONSENSE.filter(([, shown]) => shown !== '{}'), ZERO, ['Auto', "'Auto'"], ['max', "'max'"]]],
  ['spare', "must be 0, a positive integer or 'auto'", NONSENSE],
  ['bootTimeout', ms(1), [...NONSENSE, ZERO, TOO_LONG]],
  ['bootAttempts', POSITIVE, [...NONSENSE, ZERO]],
  ['settle', ms(0), [...NONSENSE, TOO_LONG]],
  [
    'canary',
    'must be false or { soak, maxErrorRate, maxLatencyRatio, minRequests }',
    [
      [null, 'null'],
      [true, 'true'],
      [30_000, '30000'],
      ['', "''"]
    ]
  ],
  ['drainTimeout', ms(0), [...NONSENSE, TOO_LONG]],
  ['setupTimeout', ms(0), [...NONSENSE, TOO_LONG]],
  [
    'setup',
    'must be a function, or the path or URL of a module whose default export is one',
    [
      [null, 'null'],
      ['', "''"],
      [1, '1'],
      [{}, '{}']
    ]
  ],
  ['stopIdleGrace', ms(0), [...NONSENSE, TOO_LONG]],
  ['hangTimeout', ms(0), [...NONSENSE, TOO_LONG]],
  [
    'hangTimeout',
    HANG,
    [
      [1, '1'],
      [1_999, '1999']
    ]
  ],
  ['surge', POSITIVE, [...NONSENSE, ZERO]],
  ['maxRetiring', POSITIVE, [...NONSENSE, ZERO]],
  ['backlog', POSITIVE, [...NONSENSE, ZERO]],
  ['rollbackWindow', ms(0), [...NONSENSE, TOO_LONG]],
  [
    'boot',
    "must be 'auto', 'fork' or 'spawn'",
    [
      ['forked', "'forked'"],
      [true, 'true'],
      [null, 'null']
    ]
  ],
  ['strict', 'must be true or false', [['yes', "'yes'"]]],
  ['preload', 'must be an array of modules', [['./heavy.js', "'./heavy.js'"]]],
  [
    'rollbackShare',
    'must be a number from 0 (off) to 1',
    [
      [1.5, '1.5'],
      [-1, '-1'],
      ['1', "'1'"]
    ]
  ],
  ['refork', 'must be { after: [requests, ...] }', [[100, '100']]],
  [
    'backoff',
    'must be { min, max } in milliseconds',
    [
      [null, 'null'],
      [5, '5'],
      ['5', "'5'"],
      [true, 'true']
    ]
  ],
  [
    'envFile',
    'must be the path of a file',
    [
      [null, 'null'],
      ['', "''"],
      [5, '5'],
      [false, 'false'],
      [{}, '{}']
    ]
  ],
  [
    'name',
    'must be a text that is not empty',
    [
      [null, 'null'],
      ['', "''"],
      [5, '5'],
      [['a'], "[ 'a' ]"]
    ]
  ],
  [
    'control',
    'must be true or false',
    [
      [null, 'null'],
      [0, '0'],
      ['true', "'true'"],
      [{}, '{}']
    ]
  ],
  [
    'modules',
    'must be an array of modules',
    [
      [null, 'null'],
      [{}, '{}'],
      ['shell', "'shell'"],
      [1, '1']
    ]
  ],
  [
    'log',
    LOG,
    [
      [null, 'null'],
      [true, 'true'],
      ['', "''"],
      ['loud', "'loud'"],
      [0, '0'],
      [{ level: 'loud' }, "{ level: 'loud' }"],
      [{ format: 'xml' }, "{ format: 'xml' }"],
      [{ levels: 'info' }, "{ levels: 'info' }"],
      [{ info() {} }, '{ info: [Function: info] }']
    ]
  ]
]

for (const [name, must, values] of cases) {
  t.test(`${name} that is wrong is refused: it ${must}`, async (t) => {
    for (const [value, shown] of values) {
      const message = `MAPACHE_OPTION_INVALID: ${name} ${must}, got ${shown}`
      t.throws(() => normaliseOptions({ [name]: value }), { code: 'MAPACHE_OPTION_INVALID', message }, shown)
    }
  })
}

t.test('backoff that is wrong in part is refused by the path of that part', async (t) => {
  for (const part of ['min', 'max']) {
    for (const [value, shown] of [...NONSENSE, ZERO, TOO_LONG]) {
      const message = `MAPACHE_OPTION_INVALID: backoff.${part} ${ms(1)}, got ${shown}`
      t.throws(() => normaliseOptions({ backoff: { [part]: value } }), { message }, `${part} ${shown}`)
    }
  }
})

t.test('a canary that is wrong in part is refused by the path of that part', async (t) => {
  const rate = 'must be a number from 0 to 1'
  const ratio = 'must be a number from 1 to 1000'
  const wrong: [part: string, must: string, value: unknown, shown: string][] = [
    ['soak', ms(1_000), 999, '999'],
    ['soak', ms(1_000), LONGEST + 1, '2147483648'],
    ['maxErrorRate', rate, -0.1, '-0.1'],
    ['maxErrorRate', rate, 1.1, '1.1'],
    ['maxErrorRate', rate, Number.NaN, 'NaN'],
    ['maxErrorRate', rate, '1', "'1'"],
    ['maxLatencyRatio', ratio, 0.9, '0.9'],
    ['maxLatencyRatio', ratio, Number.POSITIVE_INFINITY, 'Infinity'],
    ['minRequests', POSITIVE, 0, '0'],
    ['minRequests', POSITIVE, 1.5, '1.5']
  ]
  for (const [part, must, value, shown] of wrong) {
    const message = `MAPACHE_OPTION_INVALID: canary.${part} ${must}, got ${shown}`
    t.throws(() => normaliseOptions({ canary: { [part]: value } }), { message }, `${part} ${shown}`)
  }
  t.throws(() => normaliseOptions({ canary: { soek: 1 } }), { message: /^MAPACHE_OPTION_INVALID: canary\.soek is not/ })
})

t.test('backoff with min larger than max is refused, the defaults counted in', async (t) => {
  const wrong: [object, string][] = [
    [{ min: 500, max: 499 }, '{ min: 500, max: 499 }'],
    [{ max: 99 }, '{ max: 99 }'],
    [{ min: 30_001 }, '{ min: 30001 }']
  ]
  for (const [backoff, shown] of wrong) {
    const message = `MAPACHE_OPTION_INVALID: backoff must have min no larger than max, got ${shown}`
    t.throws(() => normaliseOptions({ backoff }), { message }, shown)
  }
})

t.test('of several wrong options one is named', async (t) => {
  t.throws(() => normaliseOptions({ settle: -1, workers: 0 }), /^MAPACHE_OPTION_INVALID: workers must/)
})

t.test('the error says what to do', async (t) => {
  t.throws(() => normaliseOptions({ workers: -1 }), {
    name: 'MapacheError',
    message: "MAPACHE_OPTION_INVALID: workers must be a positive integer, 'auto' or { min, max }, got -1",
    fix: 'Change the named option to what the message asks for.'
  })
})

t.test('so many workers that they would take the machine down are a typing error', async (t) => {
  const message = 'MAPACHE_OPTION_INVALID: workers must be at most 1000, got 99999'
  t.throws(() => normaliseOptions({ workers: 99_999 }), { message })
  t.equal(normaliseOptions({ workers: 1_000 }).workers, 1_000)
})

t.test('a range says which of its parts is wrong', async (t) => {
  const wrong: [workers: object, said: string][] = [
    [{ min: 0 }, 'workers.min must be a positive integer, got 0'],
    [{ min: 1_001 }, 'workers.min must be at most 1000, got 1001'],
    [{ max: 'many' }, "workers.max must be a positive integer or 'auto', got 'many'"],
    [{ max: 2.5 }, "workers.max must be a positive integer or 'auto', got 2.5"],
    [{ min: 4, max: 2 }, 'workers must have min no larger than max, got { min: 4, max: 2 }'],
    [{ minSpare: -1 }, 'workers.minSpare must be a number of workers, 0 or more; parts of one count, too, got -1'],
    [
      { minSpare: 2, maxSpare: 1 },
      'workers must have minSpare no larger than maxSpare, got { minSpare: 2, maxSpare: 1 }'
    ],
    [{ least: 1 }, 'workers.least is not an option']
  ]
  for (const [workers, said] of wrong) {
    t.throws(() => normaliseOptions({ workers }), { message: `MAPACHE_OPTION_INVALID: ${said}` })
  }
  t.throws(() => normaliseOptions({ policy: 2 }), {
    message: 'MAPACHE_OPTION_INVALID: policy must be a function (vitals, desired) => desired, got 2'
  })
})
