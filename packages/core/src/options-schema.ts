import * as v from 'valibot'
import { bytesOf } from './bytes.js'
import type { Policy } from './cluster/autoscale.js'
import { isLogger, type LogOption } from './log.js'
import { LONGEST_TIMER } from './longest-timer.js'
import type { MapacheModule } from './modules.js'
import type { ServiceOption } from './services.js'
import type { SetupOption } from './setup.js'
import type { HealthOption } from './worker/health.js'

const whole = (least: number, what: string) =>
  v.pipe(
    v.number(what),
    v.check((n) => Number.isSafeInteger(n) && n >= least, what)
  )
const ms = (least = 0) => {
  const what = `must be a whole number of milliseconds from ${least} to ${LONGEST_TIMER}`
  return v.pipe(
    v.number(what),
    v.check((n) => Number.isSafeInteger(n) && n >= least && n <= LONGEST_TIMER, what)
  )
}
const isObject = (input: unknown) => input !== null && typeof input === 'object' && !Array.isArray(input)
const text = (what: string) => v.pipe(v.string(what), v.minLength(1, what))
const WORKERS = "must be a positive integer, 'auto' or { min, max }"
const SPARE = "must be 0, a positive integer or 'auto'"
const IDLE = 'must be a number of workers, 0 or more; parts of one count, too'
/** A typing error must not take the machine down. */
const MOST_WORKERS = 1_000

const workersFrom = (what: string) =>
  v.pipe(
    v.union([v.literal('auto'), whole(1, what)], what),
    v.check((n) => n === 'auto' || n <= MOST_WORKERS, `must be at most ${MOST_WORKERS}`)
  )
const idle = v.pipe(
  v.number(IDLE),
  v.check((n) => n >= 0 && n <= MOST_WORKERS, IDLE)
)
const range = v.pipe(
  v.strictObject({
    min: v.optional(
      v.pipe(
        whole(1, 'must be a positive integer'),
        v.check((n) => n <= MOST_WORKERS, `must be at most ${MOST_WORKERS}`)
      )
    ),
    max: v.optional(workersFrom("must be a positive integer or 'auto'")),
    minSpare: v.optional(idle),
    maxSpare: v.optional(idle)
  }),
  v.check(({ min = 1, max = 'auto' }) => max === 'auto' || min <= max, 'must have min no larger than max'),
  v.check(
    ({ minSpare, maxSpare }) => minSpare === undefined || maxSpare === undefined || minSpare <= maxSpare,
    'must have minSpare no larger than maxSpare'
  )
)

const within = (least: number, most: number) => {
  const what = `must be a number from ${least} to ${most}`
  return v.pipe(
    v.number(what),
    v.check((n) => n >= least && n <= most, what)
  )
}
const canary = v.strictObject(
  {
    // Workers report once a second.
    soak: v.optional(ms(1_000)),
    maxErrorRate: v.optional(within(0, 1)),
    maxLatencyRatio: v.optional(within(1, 1_000)),
    minRequests: v.optional(whole(1, 'must be a positive integer'))
  },
  'must be false or { soak, maxErrorRate, maxLatencyRatio, minRequests }'
)
const BYTES = "must be 0 (off), a number of bytes or a text such as '512mb'"

const reportable = {
  // Chosen by the input, so that what is wrong inside of a range is named.
  workers: v.optional(v.lazy((input) => (isObject(input) ? range : workersFrom(WORKERS)))),
  spare: v.optional(
    v.pipe(
      v.union([v.literal('auto'), whole(0, SPARE)], SPARE),
      v.check((n) => n === 'auto' || n <= MOST_WORKERS, `must be at most ${MOST_WORKERS}`)
    )
  ),
  bootTimeout: v.optional(ms(1)),
  bootAttempts: v.optional(whole(1, 'must be a positive integer')),
  settle: v.optional(ms()),
  // Not a union: that would not say which field is wrong.
  canary: v.optional(v.lazy((input) => (input === false ? v.literal(false) : canary))),
  drainTimeout: v.optional(ms()),
  setupTimeout: v.optional(ms()),
  stopIdleGrace: v.optional(ms()),
  backoff: v.optional(
    v.pipe(
      v.strictObject({ min: v.optional(ms(1)), max: v.optional(ms(1)) }, 'must be { min, max } in milliseconds'),
      v.check(({ min, max }) => (min ?? 100) <= (max ?? 30_000), 'must have min no larger than max')
    )
  ),
  hangTimeout: v.optional(
    v.pipe(
      ms(),
      v.check((n) => n === 0 || n >= 2_000, 'must be 0 (off) or at least 2000: workers report once a second')
    )
  ),
  maxRequests: v.optional(whole(0, 'must be 0 (off) or a positive integer')),
  maxAge: v.optional(ms()),
  maxMemory: v.optional(
    v.pipe(
      v.union([v.number(BYTES), v.string(BYTES)], BYTES),
      v.check((given) => bytesOf(given) !== undefined, BYTES)
    )
  ),
  diagnostics: v.optional(text('must be the path of a folder')),
  surge: v.optional(whole(1, 'must be a positive integer')),
  maxRetiring: v.optional(whole(1, 'must be a positive integer')),
  backlog: v.optional(whole(1, 'must be a positive integer')),
  boot: v.optional(v.picklist(['auto', 'fork', 'spawn'], "must be 'auto', 'fork' or 'spawn'")),
  strict: v.optional(v.boolean('must be true or false')),
  preload: v.optional(v.array(text('must be the path or name of a module'), 'must be an array of modules')),
  rollbackWindow: v.optional(ms()),
  rollbackShare: v.optional(
    v.pipe(
      v.number('must be a number from 0 (off) to 1'),
      v.check((n) => n >= 0 && n <= 1, 'must be a number from 0 (off) to 1')
    )
  ),
  refork: v.optional(
    v.strictObject(
      { after: v.optional(v.array(whole(1, 'must be a positive integer'), 'must be an array of numbers of requests')) },
      'must be { after: [requests, ...] }'
    )
  ),
  envFile: v.optional(text('must be the path of a file')),
  name: v.optional(text('must be a text that is not empty')),
  control: v.optional(v.boolean('must be true or false'))
}

const LOG = "must be a pino level, false, { level, format: 'auto' | 'json' | 'line' } or a pino logger"
const HEALTH = 'must be a function or { check, interval, timeout, failures }'
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const setup = v.custom<SetupOption>((input) => {
  return typeof input === 'function' || input instanceof URL || (typeof input === 'string' && input !== '')
}, 'must be a function, or the path or URL of a module whose default export is one')

/** The schema of what a user may pass. */
export const OptionsSchema = v.strictObject({
  ...reportable,
  warmup: v.optional(v.function('must be a function')),
  policy: v.optional(
    v.custom<Policy>((input) => typeof input === 'function', 'must be a function (vitals, desired) => desired')
  ),
  setup: v.optional(setup),
  teardown: v.optional(setup),
  health: v.optional(
    v.union(
      [
        v.function(),
        v.strictObject({
          check: v.function(),
          interval: v.optional(ms(1)),
          timeout: v.optional(ms(1)),
          failures: v.optional(whole(1, 'must be a positive integer'))
        })
      ],
      HEALTH
    ) as v.GenericSchema<HealthOption>
  ),
  modules: v.optional(
    v.array(
      v.custom<MapacheModule>(() => true),
      'must be an array of modules'
    )
  ),
  services: v.optional(
    v.array(
      v.custom<ServiceOption>(() => true),
      'must be an array of services'
    )
  ),
  log: v.optional(
    v.custom<LogOption>((input) => {
      if (input === false || isLogger(input)) return true
      const shape = v.union([
        v.picklist(LEVELS),
        v.strictObject({
          level: v.optional(v.picklist(LEVELS)),
          format: v.optional(v.picklist(['auto', 'json', 'line']))
        })
      ])
      return v.is(shape, input)
    }, LOG)
  )
})

/** The schema of what a worker reports, for the channel's boundary. */
export const ReportedOptionsSchema = v.strictObject(reportable)
