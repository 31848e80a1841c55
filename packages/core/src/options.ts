import * as v from 'valibot'
import { bytesOf } from './bytes.js'
import type { Policy, ScalingRange } from './cluster/autoscale.js'
import type { Backoff } from './cluster/backoff.js'
import { type CanaryOptions, type CanaryRule, canaryRule } from './cluster/canary.js'
import { MapacheError } from './errors.js'
import type { LogOption } from './log.js'
import type { MapacheModule } from './modules.js'
import { OptionsSchema } from './options-schema.js'
import type { ServiceOption } from './services.js'
import type { SetupOption } from './setup.js'
import { nearestName, show } from './show.js'
import { parallelism } from './supervisor/limits.js'
import type { HealthOption } from './worker/health.js'

export { nearestName, show }

/** What a user may pass. Every option has a default; every duration is in milliseconds. */
export interface MapacheOptions {
  /**
   * How many workers serve. `'auto'`: as many as run at the same time here, by CPUs, cpuset and CPU quota. A range: the load
   * decides; `minSpare` and `maxSpare` are the idle capacity to keep, in workers' worth.
   */
  workers?: number | 'auto' | { min?: number; max?: number | 'auto'; minSpare?: number; maxSpare?: number }
  /** Decides in place of Mapache how many workers serve, in the supervisor. Without a range: from 1 to `workers`. */
  policy?: Policy
  /** Workers booted and held back, to step in at once; `'auto'` is one where workers are forked from a mold, else none. */
  spare?: number | 'auto'
  /** How long a worker may take until it is ready, ms. */
  bootTimeout?: number
  /** How often a place may fail to boot before the first worker was ever ready; then the supervisor gives up. */
  bootAttempts?: number
  /** How long the first worker of a new generation must serve before the first old one retires, ms. */
  settle?: number
  /**
   * What a reload's first worker has to hold out against: it serves beside the old generation for `soak` ms, and is retired
   * if it is worse; `false` is no such comparison. See docs/canary.md.
   */
  canary?: CanaryOptions | false
  /** How long a retiring worker may take to finish what it holds, ms. */
  drainTimeout?: number
  /**
   * Runs once before the first worker of a generation, in a process of its own: a migration. A function, or the path or URL
   * of a module whose default export is one. If it fails, so does the start or the reload. See docs/setup.md.
   */
  setup?: SetupOption
  /** The same for the end: runs when the cluster stops and no other process is left. */
  teardown?: SetupOption
  /** How long `setup` and `teardown` may take, with their wait for those of other processes, ms; 0 is no limit. */
  setupTimeout?: number
  /** How long idle connections are kept when the cluster stops, ms. */
  stopIdleGrace?: number
  /** Delay between relaunches in a place that keeps failing, ms: doubles from `min` to `max`, jittered. */
  backoff?: { min?: number; max?: number }
  /** How long a worker's event loop may be blocked before it is killed, ms; 0 is never. */
  hangTimeout?: number
  /** After how many requests a worker is recycled, less up to a fifth of it; 0 is never. */
  maxRequests?: number
  /** At which age a worker is recycled, ms, less up to a fifth of it; 0 is never. */
  maxAge?: number
  /** At how many bytes of its own, or as a text such as '512mb', a worker is recycled, less up to a fifth of it; 0 is never. */
  maxMemory?: number | string
  /** Says whether a worker is fit to serve; runs in it, and gets the app. Of a factory's module, the module exports it. */
  health?: HealthOption
  /** The folder for what is written about workers that hang. Default: in the system's place for the state of programs. */
  diagnostics?: string
  /** How many workers more than `workers` a roll may hold. */
  surge?: number
  /** How many retiring workers a place may have before the oldest closes its idle connections. */
  maxRetiring?: number
  /** How many connections wait in the kernel's queue (which the system caps). */
  backlog?: number
  /**
   * How workers come to be: `'fork'` from a mold that has the app's code loaded (Linux, with @mapache/native), `'spawn'` as
   * new programs, `'auto'` forked where that is safe.
   */
  boot?: 'auto' | 'fork' | 'spawn'
  /** Whether a mold with a timer counts as unclean, too. */
  strict?: boolean
  /** Modules that a mold loads before the entry: paths from the working directory, or names of packages. */
  preload?: string[]
  /** How long the generation before can be rolled back to after a reload, ms: its mold is kept idle. 0 is not at all. */
  rollbackWindow?: number
  /** A generation that loses more than this share of its workers to crashes in that window is rolled back; 0 is never. */
  rollbackShare?: number
  /** When workers that were forked are forked anew from a warm one: after so many requests of one worker, each once. */
  refork?: { after?: number[] }
  /**
   * Warms up a mold for a refork that no worker was fit for: called in a process of its own, with the URL at which the app
   * answers there alone. Of a factory that is named as a module, the module exports it.
   */
  warmup?: (url: string) => unknown
  /** A file of environment variables, read anew for each generation. What the environment already has, wins. */
  envFile?: string
  /** The cluster's name in logs, titles and commands. Default: the working directory's name, or the entry's folder under `mapache start`. */
  name?: string
  /** Whether app code in a worker may reload, scale and stop the cluster. */
  control?: boolean
  /** Modules: see docs/modules.md. */
  modules?: MapacheModule[]
  /** Supervised helper processes of the app's own: see docs/services.md. */
  services?: ServiceOption[]
  /** A pino level, `false`, `{ level, format }`, or a pino logger of your own. */
  log?: LogOption
}

/** Options with every default filled in, frozen. Inner code has no defaults and no checks. */
export interface Settings {
  readonly workers: number | ScalingRange
  readonly policy: Policy | undefined
  readonly spare: number | 'auto'
  readonly bootTimeout: number
  readonly bootAttempts: number
  readonly settle: number
  readonly canary: CanaryRule | false
  readonly drainTimeout: number
  readonly setup: SetupOption | undefined
  readonly teardown: SetupOption | undefined
  readonly setupTimeout: number
  readonly stopIdleGrace: number
  readonly backoff: Readonly<Backoff>
  readonly hangTimeout: number
  readonly maxRequests: number
  readonly maxAge: number
  readonly maxMemory: number
  readonly diagnostics: string | undefined
  readonly surge: number
  readonly maxRetiring: number
  readonly backlog: number
  readonly boot: 'auto' | 'fork' | 'spawn'
  readonly strict: boolean
  readonly preload: readonly string[]
  readonly rollbackWindow: number
  readonly rollbackShare: number
  readonly refork: { readonly after: readonly number[] }
  readonly envFile: string | undefined
  readonly name: string | undefined
  readonly control: boolean
  readonly modules: readonly MapacheModule[]
  readonly services: readonly ServiceOption[]
  readonly log: LogOption
}

/** Options that new code may bring with a reload; the others hold until the supervisor is started anew. */
export const CHANGEABLE = [
  'workers',
  'spare',
  'bootTimeout',
  'bootAttempts',
  'settle',
  'canary',
  'drainTimeout',
  'setupTimeout',
  'stopIdleGrace',
  'backoff',
  'hangTimeout',
  'maxRequests',
  'maxAge',
  'maxMemory',
  'diagnostics',
  'surge',
  'maxRetiring',
  'boot',
  'strict',
  'preload',
  'rollbackWindow',
  'rollbackShare',
  'refork',
  'envFile',
  'control'
] as const satisfies readonly (keyof Settings)[]

/** Options that are plain data but cannot change while the supervisor runs: a reload that brings others says so. */
export const FIXED = ['backlog', 'name'] as const satisfies readonly (keyof Settings)[]

/** The plain-data options as a worker reports them to the supervisor. */
export type ReportedOptions = Pick<Partial<MapacheOptions>, (typeof CHANGEABLE)[number] | (typeof FIXED)[number]>

/**
 * Checks the options and fills in the defaults, once, at the boundary.
 * @param adapterOptions names that the caller's adapter takes for itself, not to be refused here
 * @throws MAPACHE_OPTION_INVALID naming the option's path, what it must be and what was got
 */
export function normaliseOptions(options: unknown, adapterOptions: readonly string[] = []): Settings {
  if (options === null || (options !== undefined && typeof options !== 'object')) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', `options must be an object, got ${show(options)}`)
  }
  const own = Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => !adapterOptions.includes(name)))
  const parsed = v.safeParse(OptionsSchema, own, { abortEarly: true })
  if (!parsed.success) throw optionError(parsed.issues[0], adapterOptions)
  return Object.freeze(withDefaults(parsed.output as MapacheOptions))
}

/** The part of the options that a worker reports, so that a reload can bring new values. */
export function reportedOptions(options: object | undefined): ReportedOptions {
  const names: readonly string[] = [...CHANGEABLE, ...FIXED]
  const entries = Object.entries(options ?? {}).filter(([name, value]) => value !== undefined && names.includes(name))
  return Object.fromEntries(entries)
}

function withDefaults(given: MapacheOptions): Settings {
  return {
    workers: workersOf(given.workers),
    policy: given.policy,
    spare: given.spare ?? 'auto',
    bootTimeout: given.bootTimeout ?? 30_000,
    bootAttempts: given.bootAttempts ?? 3,
    settle: given.settle ?? 1_000,
    canary: given.canary ? canaryRule(given.canary) : false,
    drainTimeout: given.drainTimeout ?? 90_000,
    setup: given.setup,
    teardown: given.teardown,
    setupTimeout: given.setupTimeout ?? 600_000,
    stopIdleGrace: given.stopIdleGrace ?? 1_000,
    backoff: Object.freeze({ min: given.backoff?.min ?? 100, max: given.backoff?.max ?? 30_000 }),
    hangTimeout: given.hangTimeout ?? 30_000,
    maxRequests: given.maxRequests ?? 0,
    maxAge: given.maxAge ?? 0,
    maxMemory: bytesOf(given.maxMemory ?? 0) ?? 0,
    diagnostics: given.diagnostics,
    surge: given.surge ?? 1,
    maxRetiring: given.maxRetiring ?? 2,
    backlog: given.backlog ?? 4_096,
    boot: given.boot ?? 'auto',
    strict: given.strict ?? false,
    preload: Object.freeze([...(given.preload ?? [])]),
    rollbackWindow: given.rollbackWindow ?? 60_000,
    rollbackShare: given.rollbackShare ?? 0.5,
    refork: Object.freeze({ after: Object.freeze([...(given.refork?.after ?? [])].sort((a, b) => a - b)) }),
    envFile: given.envFile,
    name: given.name,
    control: given.control ?? false,
    modules: Object.freeze([...(given.modules ?? [])]),
    services: Object.freeze([...(given.services ?? [])]),
    log: given.log ?? {}
  }
}

function workersOf(given: MapacheOptions['workers'] = 'auto'): number | ScalingRange {
  if (given === 'auto') return parallelism()
  if (typeof given === 'number') return given
  const { min = 1, max = 'auto', maxSpare } = given
  const minSpare = given.minSpare ?? Math.min(MIN_SPARE, maxSpare ?? MIN_SPARE)
  return Object.freeze({ min, max, minSpare, maxSpare: maxSpare ?? minSpare + SPARE_WIDTH })
}

/**
 * The range within which the load decides about the number of workers.
 * @returns undefined when the number is fixed
 */
export function rangeOf({ workers, policy }: Pick<Settings, 'workers' | 'policy'>): ScalingRange | undefined {
  if (typeof workers === 'object') return workers
  return policy && { min: 1, max: workers, minSpare: MIN_SPARE, maxSpare: MIN_SPARE + SPARE_WIDTH }
}

/**
 * Checks what `scale` was given.
 * @throws MAPACHE_OPTION_INVALID when it is neither a number of workers nor 'auto'
 */
export function checkWorkers(workers: unknown): number | 'auto' {
  if (workers === 'auto') return workers
  if (workers !== null && typeof workers === 'object') {
    const text = `workers must be a positive integer or 'auto', got ${show(workers)}`
    throw new MapacheError('MAPACHE_OPTION_INVALID', text)
  }
  // Left out it would be taken for 'auto'.
  return normaliseOptions({ workers: workers ?? null }).workers as number
}

/** What one worker should have left before there are two. */
const MIN_SPARE = 0.5
/** More than 1: else the end of one worker could be the reason for the next. */
const SPARE_WIDTH = 1.25

function optionError(issue: v.BaseIssue<unknown>, adapterOptions: readonly string[]): MapacheError {
  const path = (issue.path ?? []).map((item) => String(item.key))
  const name = path.join('.')
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = [...Object.keys(OptionsSchema.entries), ...adapterOptions]
    const nearest = path.length === 1 ? nearestName(name, known) : undefined
    const hint = nearest ? `; did you mean '${nearest}'?` : ''
    return new MapacheError('MAPACHE_OPTION_INVALID', `${name} is not an option${hint}`)
  }
  return new MapacheError('MAPACHE_OPTION_INVALID', `${name} ${issue.message}, got ${show(issue.input)}`)
}
