import { createHash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { MapacheError } from '@mapache/core'

/** A password that is known by its hash alone. */
export interface Credential {
  readonly kind: 'scrypt' | 'sha512'
  /** Whether this is the password. It takes as long for a wrong one as for the right one; one is checked at a time. */
  verify(password: string | Buffer): Promise<boolean>
}

/**
 * Hashes a password with a new salt.
 * @returns `scrypt:N:r:p:salt:hash`, salt and hash in base64url: a text without blanks, quotes or `$`
 */
export async function hashPassword(password: string | Buffer): Promise<string> {
  const salt = randomBytes(16)
  const { N, r, p } = PARAMETERS
  const hash = await derive(password, salt, 32, PARAMETERS)
  return ['scrypt', N, r, p, salt.toString('base64url'), hash.toString('base64url')].join(':')
}

/**
 * Reads a credential: the text that `mapache shell passwd` prints, or the 64 bytes of a SHA-512 digest, which is weak:
 * it has no salt, and who has it tries billions of passwords a second.
 * @param given the text, the bytes, or what `credentialText` made of them
 * @throws MAPACHE_CREDENTIAL_INVALID; what was given is not shown
 */
export function parseCredential(given: unknown): Credential {
  const text = credentialText(given)
  const [kind, ...fields] = text.split(':')
  return kind === 'sha512' ? sha512(Buffer.from(fields[0] ?? '', 'hex')) : scrypted(fields)
}

/**
 * Makes plain text of a credential, so that it can be an option of a service.
 * @throws MAPACHE_CREDENTIAL_INVALID; what was given is not shown
 */
export function credentialText(given: unknown): string {
  if (given instanceof Uint8Array) {
    if (given.length === 64) return `sha512:${Buffer.from(given).toString('hex')}`
    throw invalid(`a Buffer must hold the 64 bytes of a SHA-512 digest, got ${given.length} bytes`)
  }
  if (typeof given !== 'string') throw invalid(`it must be a text or a Buffer, got ${typeof given}`)
  if (SHA512.test(given)) return given
  const [, N, r, p, salt = '', hash = ''] = SCRYPT.exec(given.trim()) ?? []
  if (N === undefined) throw invalid('the text is no hash (is it the password itself?)')
  const cost = Number(N)
  const memory = 128 * cost * Number(r)
  if (cost < 2 || (cost & (cost - 1)) !== 0 || memory > MOST_MEMORY || memory * Number(p) > MOST_WORK) {
    throw invalid(`scrypt cannot work with N=${N}, r=${r}, p=${p}`)
  }
  if (bytes(salt) < 8 || bytes(hash) < 16) throw invalid('salt or hash are too short')
  return given.trim()
}

function scrypted([N, r, p, salt = '', hash = '']: string[]): Credential {
  const wanted = Buffer.from(hash, 'base64url')
  const parameters = { N: Number(N), r: Number(r), p: Number(p) }
  return {
    kind: 'scrypt',
    verify: (password) =>
      inTurn(async () => {
        const got = await derive(password, Buffer.from(salt, 'base64url'), wanted.length, parameters)
        return timingSafeEqual(got, wanted)
      })
  }
}

function sha512(wanted: Buffer): Credential {
  return {
    kind: 'sha512',
    verify: (password) => inTurn(async () => timingSafeEqual(createHash('sha512').update(password).digest(), wanted))
  }
}

function derive(password: string | Buffer, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  const { N = 0, r = 0 } = options
  // Node.js refuses what needs just as much as it allows.
  const maxmem = 128 * N * r + (1 << 20)
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...options, maxmem }, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

// Each takes memory and a core: many at once would be a way to harm the machine.
let last: Promise<unknown> = Promise.resolve()

function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
  const own = last.then(work)
  last = own.catch(() => {})
  return own
}

function bytes(text: string): number {
  return Buffer.from(text, 'base64url').length
}

function invalid(why: string): MapacheError {
  return new MapacheError('MAPACHE_CREDENTIAL_INVALID', `password must be what "mapache shell passwd" prints: ${why}`)
}

/** 32 MiB and about a quarter of a second: as strong as the larger N that is often named, with less memory. */
const PARAMETERS = { N: 32_768, r: 8, p: 3 } as const
const SCRYPT = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([\w-]+):([\w-]+)$/
const SHA512 = /^sha512:[0-9a-f]{128}$/
/** Bytes that a text may make a check take, and how much of them it goes through. */
const MOST_MEMORY = 256 << 20
const MOST_WORK = 1 << 30
