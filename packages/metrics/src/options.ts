import { MapacheError } from '@mapache/core'
import { credentialText, isLoopback } from '@mapache/shell/credential'
import { BUCKETS } from './report.js'

export interface MetricsOptions {
  /** Where the pages are served; default 9464. */
  port?: number
  /** Default `'127.0.0.1'`: only from this machine. */
  host?: string
  /** A Unix socket, in place of port and host. */
  path?: string
  /** Must be true for a `host` that others can reach: the pages tell of processes, and ask for no password. */
  expose?: boolean
  /**
   * The hash of a password for the buttons of the dashboard, which has none without it: what `mapache shell passwd` prints,
   * as the shell takes it.
   */
  password?: string | Uint8Array
  /** Names by which the pages are reached, beside localhost and addresses. */
  hosts?: readonly string[]
  /** Upper bounds of the histogram of request durations, seconds, rising. */
  buckets?: readonly number[]
}

/** With all defaults filled in. */
export interface MetricsSettings {
  address: { port: number; host: string } | { path: string }
  password: string | undefined
  hosts: readonly string[]
  buckets: readonly number[]
}

/**
 * Checks the options and fills in the defaults.
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_CREDENTIAL_INVALID
 */
export function checkOptions(options: MetricsOptions): MetricsSettings {
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) throw invalid(name, `is no option; there are ${[...NAMES].join(', ')}`)
  }
  const { port = 9464, host = '127.0.0.1', path, expose = false, password, hosts = [], buckets = BUCKETS } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalid('port', 'must be a port', port)
  if (typeof host !== 'string' || host === '') throw invalid('host', 'must be an address', host)
  if (typeof expose !== 'boolean') throw invalid('expose', 'must be true or false', expose)
  if (path !== undefined && (typeof path !== 'string' || path === '')) {
    throw invalid('path', 'must be the path of a Unix socket', path)
  }
  if (path !== undefined && (options.port !== undefined || options.host !== undefined)) {
    throw invalid('path', 'stands in place of port and host: give it or them')
  }
  if (path === undefined && !isLoopback(host) && !expose) {
    throw invalid(
      'host',
      `${host} can be reached from elsewhere, without a password: if that is meant, set expose: true`
    )
  }
  if (!Array.isArray(hosts) || !hosts.every((one) => typeof one === 'string' && one !== '')) {
    throw invalid('hosts', 'must be an array of names', hosts)
  }
  checkBuckets(buckets)
  const hash = password === undefined ? undefined : credentialText(password)
  return { address: path === undefined ? { port, host } : { path }, password: hash, hosts, buckets }
}

function checkBuckets(buckets: readonly number[]): void {
  const fits =
    Array.isArray(buckets) &&
    buckets.length > 0 &&
    buckets.length <= MOST_BUCKETS &&
    buckets.every(
      (bound, index) => Number.isFinite(bound) && bound > (index === 0 ? 0 : (buckets[index - 1] as number))
    )
  if (!fits) throw invalid('buckets', `must be 1 to ${MOST_BUCKETS} rising numbers of seconds above 0`, buckets)
}

function invalid(name: string, must: string, ...got: unknown[]): MapacheError {
  const shown = got.length > 0 ? `, got ${JSON.stringify(got[0])}` : ''
  return new MapacheError('MAPACHE_OPTION_INVALID', `metrics: ${name} ${must}${shown}`)
}

const NAMES = new Set(['port', 'host', 'path', 'expose', 'password', 'hosts', 'buckets'])
const MOST_BUCKETS = 50
