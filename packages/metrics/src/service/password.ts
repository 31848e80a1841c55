import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Credential, Verified } from '../page/credential.js'

/** One password, as it was given. Who guesses is slowed down, by address, so that he does not keep the others out. */
export class Password implements Credential {
  readonly #key = randomBytes(32)
  readonly #wanted: Buffer
  readonly #now: () => number
  /** The oldest first. */
  readonly #failed = new Map<string, { count: number; until: number }>()

  /** @param now monotonic, ms */
  constructor(password: string, now: () => number = () => performance.now()) {
    this.#wanted = this.#digest(password)
    this.#now = now
  }

  async verify(password: string, address: string, signal: AbortSignal): Promise<Verified> {
    const before = this.#failed.get(address)
    const wait = (before?.until ?? 0) - this.#now()
    if (before && wait > 0) return { ok: false, retryAfter: wait }
    if (timingSafeEqual(this.#digest(password), this.#wanted)) {
      this.#failed.delete(address)
      return { ok: true }
    }
    const count = (before?.count ?? 0) + 1
    const pause = Math.min(LONGEST, FIRST * 2 ** Math.max(0, count - FREE))
    this.#failed.delete(address)
    this.#failed.set(address, { count, until: count < FREE ? 0 : this.#now() + pause })
    const [oldest] = this.#failed.keys()
    if (this.#failed.size > MOST && oldest !== undefined) this.#failed.delete(oldest)
    await sleep(FIRST, undefined, { signal }).catch(() => {})
    return { ok: false }
  }

  /** Of one length whatever the password's, which the time of a comparison would tell. */
  #digest(password: string): Buffer {
    return createHmac('sha256', this.#key).update(password).digest()
  }
}

/** So many wrong ones are free, as typing errors are; each further one doubles the pause. */
const FREE = 5
/** Milliseconds. */
const FIRST = 500
const LONGEST = 60_000
/** Addresses that are remembered. */
const MOST = 1_000
