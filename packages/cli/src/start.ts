import { parseArgs } from 'node:util'
import { type Cluster, MapacheError } from '@mapache/core'
import { normaliseOptions, superviseEntry } from '@mapache/core/adapter'
import { nameOf, split } from './entry.js'

/**
 * `mapache start <entry>`: this process is the supervisor and does not load the entry; its workers run it.
 * @throws MAPACHE_OPTION_INVALID for wrong arguments, MAPACHE_ENTRY_MISSING, and what a start can throw
 */
export async function start(args: string[]): Promise<Cluster> {
  // What follows the entry is the entry's own.
  const { own, entry, rest } = split(args, OPTIONS)
  const { values } = parse(own)
  if (entry === undefined) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', 'start needs an entry: mapache start server.js')
  }
  const options = {
    ...(values.workers === undefined ? {} : { workers: values.workers === 'auto' ? 'auto' : toNumber(values.workers) }),
    ...numbers(values),
    ...(values['env-file'] === undefined ? {} : { envFile: values['env-file'] }),
    ...(values.boot === undefined ? {} : { boot: values.boot }),
    ...(values.name === undefined ? {} : { name: values.name })
  }
  const log = {
    ...(values['log-level'] === undefined ? {} : { level: values['log-level'] }),
    ...(values['log-format'] === undefined ? {} : { format: values['log-format'] })
  }
  const settings = normaliseOptions({ name: nameOf(entry), ...options, log })
  return superviseEntry({ entry, args: rest, settings, fixed: options as object })
}

const OPTIONS = {
  workers: { type: 'string', short: 'w' },
  name: { type: 'string' },
  'env-file': { type: 'string' },
  settle: { type: 'string' },
  'boot-timeout': { type: 'string' },
  'drain-timeout': { type: 'string' },
  'hang-timeout': { type: 'string' },
  backlog: { type: 'string' },
  boot: { type: 'string' },
  'log-level': { type: 'string' },
  'log-format': { type: 'string' }
} as const

const NUMBERS = {
  settle: 'settle',
  'boot-timeout': 'bootTimeout',
  'drain-timeout': 'drainTimeout',
  'hang-timeout': 'hangTimeout',
  backlog: 'backlog'
} as const

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false })
  } catch (cause) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', (cause as Error).message, { cause })
  }
}

function numbers(values: Record<string, string | undefined>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(NUMBERS).flatMap(([flag, name]) =>
      values[flag] === undefined ? [] : [[name, toNumber(values[flag])]]
    )
  )
}

/** A text that is no number stays one, so that the error shows what was given. */
function toNumber(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
