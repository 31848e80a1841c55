import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { Credential, Verified } from '../page/credential.js'
import { parseHash } from '../password-hash.js'

/**
 * A password that is known by its hash alone. Who guesses is slowed down, by address, so that nobody else is kept out; one
 * is checked at a time, because each takes memory and a core.
 */
export class Password implements Credential {
  readonly #hash: NonNullable<ReturnType<typeof parseHash>>
  readonly #now: () => number
  /** By address, the one that was heard of last at the end. */
  readonly #failed = new Map<string, { count: number; until: number }>()
  #last: Promise<unknown> = Promise.resolve()

  /** @param hash `scrypt:N:r:p:salt:hash` @param now monotonic, ms @throws TypeError when it is no hash */
  constructor(hash: string, now: () => number = () => performance.now()) {
    const parsed = parseHash(hash)
    if (!parsed) throw new TypeError('the password must be given as a hash')
    this.#hash = parsed
    this.#now = now
  }

  verify(password: string, address: string, signal: AbortSignal): Promise<Verified> {
    const own = this.#last.then(() => this.#verify(password, address, signal))
    this.#last = own.catch(() => {})
    return own
  }

  async #verify(password: string, address: string, signal: AbortSignal): Promise<Verified> {
    const before = this.#failed.get(address)
    const wait = (before?.until ?? 0) - this.#now()
    if (before && wait > 0) return { ok: false, retryAfter: wait }
    // Whoever asked has gone: an answer would help nobody.
    if (signal.aborted) return { ok: false, retryAfter: FIRST }
    const { salt, wanted, ...parameters } = this.#hash
    if (timingSafeEqual(await derive(password, salt, wanted.length, parameters), wanted)) {
      this.#failed.delete(address)
      return { ok: true }
    }
    this.#fail(address, (before?.count ?? 0) + 1)
    return { ok: false }
  }

  /** Some wrong ones are free, as typing errors are. */
  #fail(address: string, count: number): void {
    const pause = count < FREE ? 0 : Math.min(LONGEST, FIRST * 2 ** (count - FREE))
    this.#failed.delete(address)
    this.#failed.set(address, { count, until: this.#now() + pause })
    const [oldest] = this.#failed.keys()
    if (this.#failed.size > MOST && oldest !== undefined) this.#failed.delete(oldest)
  }
}

function derive(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  const { N = 0, r = 0 } = options
  // Node.js refuses what needs just as much as it allows.
  const maxmem = 128 * N * r + (1 << 20)
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...options, maxmem }, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** So many wrong ones in a row, then each further one doubles the pause. */
const FREE = 5
/** Milliseconds. */
const FIRST = 500
const LONGEST = 60_000
/** Addresses that are remembered. */
const MOST = 1_000
