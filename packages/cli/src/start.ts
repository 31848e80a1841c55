import { MapacheError } from '@mapache/core'
import { normaliseOptions, reportedOptions, superviseEntry } from '@mapache/core/adapter'
import { loadConfig, withLog } from './config.js'
import { nameOf } from './entry.js'

/** The flags of `mapache start`, as they were written. */
export type StartFlags = Partial<Record<keyof typeof OPTIONS | 'config' | 'logLevel' | 'logFormat', string>>

/**
 * `mapache start <entry>`: this process is the supervisor and does not load the entry; its workers run it.
 * @throws MAPACHE_OPTION_INVALID for wrong arguments, MAPACHE_ENTRY_MISSING, and what a start can throw
 */
export async function start([entry, ...args]: [string?, ...string[]], flags: StartFlags): Promise<undefined> {
  if (entry === undefined) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', 'start needs an entry: mapache start server.js')
  }
  const config = flags.config === undefined ? {} : await loadConfig(flags.config)
  const options = { ...config, ...given(flags) }
  const { logLevel: level, logFormat: format } = flags
  const settings = normaliseOptions({
    name: nameOf(entry),
    ...options,
    log: withLog(config.log, { ...(level === undefined ? {} : { level }), ...(format === undefined ? {} : { format }) })
  })
  // What whoever starts the cluster has chosen, the app's code does not change.
  await superviseEntry({ entry, args, settings, fixed: reportedOptions(options) })
  return undefined
}

/** The options of the flags that were given. */
function given(flags: StartFlags): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(OPTIONS).flatMap(([name, read]) => {
      const text = flags[name as keyof typeof OPTIONS]
      return text === undefined ? [] : [[name, read(text)]]
    })
  )
}

/** A text that is no number stays one, so that the error shows what was given. */
function toNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

function asIs(text: string): string {
  return text
}

const OPTIONS = {
  workers: toNumber,
  name: asIs,
  envFile: asIs,
  setup: asIs,
  teardown: asIs,
  setupTimeout: toNumber,
  settle: toNumber,
  bootTimeout: toNumber,
  drainTimeout: toNumber,
  hangTimeout: toNumber,
  backlog: toNumber,
  boot: asIs
} as const
