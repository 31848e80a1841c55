import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MapacheError } from '@mapache/core'
import { credentialText, isLoopback } from './credential.js'
import { LIMITS, type Limits } from './server/limits.js'

/** What `shell()` takes. */
export interface ShellOptions {
  /** Where it listens; default 127.0.0.1. Another than one of this machine alone needs `expose`. */
  host?: string
  /** Default 7777. */
  port?: number
  /** What `mapache shell passwd` prints; or, with a warning, the 64 bytes of a SHA-512 digest. */
  password?: string | Uint8Array
  /** The certificate and its key, as PEM or paths; default: one of this user's own, made once and kept. */
  cert?: string
  key?: string
  /** Who signed the certificates of those who may come in: PEM or paths. With a password both are asked for. */
  ca?: string | readonly string[]
  /** Whether it may listen where other machines reach it; default false. */
  expose?: boolean
  /** Path or URL of a module whose default export has commands of your own: `{ name: async (argv, send, recv, primary) => ... }`. */
  commands?: string | URL
  /** What users may take of the shell. */
  limits?: Partial<Limits>
}

/** The same for the service: complete, and plain data. */
export interface ServiceOptions {
  host: string
  port: number
  password: string | undefined
  cert: string | undefined
  key: string | undefined
  ca: readonly string[]
  commands: string | undefined
  limits: Limits
}

/**
 * Checks the options.
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_CREDENTIAL_MISSING, MAPACHE_CREDENTIAL_INVALID, MAPACHE_CERTIFICATE_INVALID,
 *   MAPACHE_ADDRESS_EXPOSED
 */
export function normaliseOptions(given: ShellOptions): ServiceOptions {
  if (given === null || typeof given !== 'object') throw invalid('must be called with an object of options')
  const unknown = Object.keys(given).find((name) => !NAMES.has(name))
  if (unknown !== undefined) throw invalid(`${unknown} is no option; there are ${[...NAMES].join(', ')}`)
  const { host = '127.0.0.1', port = 7777, password, cert, key, expose = false } = given
  if (typeof host !== 'string' || host === '') throw invalid('host must be a text')
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalid('port must be an integer from 0 to 65535')
  if (typeof expose !== 'boolean') throw invalid('expose must be true or false')
  if ((cert === undefined) !== (key === undefined)) throw invalid('cert and key go together')
  const ca = given.ca === undefined ? [] : [given.ca].flat()
  if (given.ca !== undefined && ca.length === 0) throw invalid('ca must name whom to trust, got an empty array')
  if (password === undefined && ca.length === 0) {
    throw new MapacheError('MAPACHE_CREDENTIAL_MISSING', 'the shell needs password (see mapache shell passwd) or ca')
  }
  if (!isLoopback(host) && !expose) {
    const text = `host ${JSON.stringify(host)} may be reached from other machines; use 127.0.0.1, or set expose: true`
    throw new MapacheError('MAPACHE_ADDRESS_EXPOSED', text)
  }
  return {
    host,
    port,
    password: password === undefined ? undefined : credentialText(password),
    cert: cert === undefined ? undefined : pem('cert', cert),
    key: key === undefined ? undefined : pem('key', key),
    ca: ca.map((one) => pem('ca', one)),
    commands: given.commands === undefined ? undefined : moduleUrl(given.commands),
    limits: limitsOf(given.limits ?? {})
  }
}

/** A text stays; a path is made absolute, because it is read in another process, and again at each reload. */
function pem(name: string, given: unknown): string {
  if (typeof given !== 'string') throw invalid(`${name} must be a text: PEM or a path`)
  if (given.includes('-----BEGIN ')) return given
  const file = path.resolve(given)
  if (!existsSync(file)) throw new MapacheError('MAPACHE_CERTIFICATE_INVALID', `${name}: there is no file ${file}`)
  return file
}

function moduleUrl(given: unknown): string {
  if (typeof given === 'object' && given !== null && !(given instanceof URL)) {
    throw invalid(
      'commands must be the path or URL of a module whose default export is this object: the shell is a process of its ' +
        'own, to which functions cannot be sent'
    )
  }
  const url =
    given instanceof URL || (typeof given === 'string' && given.startsWith('file:'))
      ? String(given)
      : typeof given === 'string' && given !== ''
        ? pathToFileURL(path.resolve(given)).href
        : ''
  if (!url.startsWith('file:') || !existsSync(fileURLToPath(url))) {
    throw invalid(`commands must be the path or URL of a file that exists, got ${String(given)}`)
  }
  return url
}

function limitsOf(given: Partial<Limits>): Limits {
  if (given === null || typeof given !== 'object') throw invalid('limits must be an object')
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(LIMITS, name))
      throw invalid(`limits.${name} is none; there are ${Object.keys(LIMITS).join(', ')}`)
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31 - 1) {
      throw invalid(`limits.${name} must be a positive integer below 2^31, got ${String(value)}`)
    }
  }
  return { ...LIMITS, ...given }
}

function invalid(text: string): MapacheError {
  return new MapacheError('MAPACHE_OPTION_INVALID', `shell(): ${text}`)
}

const NAMES = new Set(['host', 'port', 'password', 'cert', 'key', 'ca', 'expose', 'commands', 'limits'])
