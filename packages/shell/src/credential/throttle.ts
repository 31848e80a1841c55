import { isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface ThrottleOptions {
  /** Wait before the second attempt, ms; doubled for each one more. */
  delay?: number
  /** The longest wait, ms. */
  longest?: number
  /** Failures before an address is locked out. */
  failures?: number
  /** How long it is locked out, and how long failures are remembered, ms. */
  lockout?: number
  /** How many addresses are remembered. */
  addresses?: number
  /** A monotonic clock, ms; one that all processes of the machine share by default. */
  now?: () => number
  /** Waits, ms. */
  wait?: (ms: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** Hears of each change, so that the state can outlive this process. */
  changed?: (entry: ThrottleEntry) => void
}

/** What is known of an address: plain data. */
export interface ThrottleEntry {
  key: string
  /** Attempts that failed, and that are not decided yet; 0: forget it. */
  failures: number
  /** When the next attempt may be checked, and when all is forgotten, ms of the clock. */
  next: number
  until: number
}

/**
 * Slows down who tries passwords. An attempt counts as failed until it has succeeded: who goes away before the answer gains
 * nothing. All connections of an address share the count; of IPv6 all addresses of a /64, which one host may have.
 */
export class Throttle {
  readonly #options: Required<ThrottleOptions>
  readonly #entries = new Map<string, ThrottleEntry>()
  /** By address, the attempt after which the next one begins. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(options: ThrottleOptions = {}) {
    this.#options = { ...DEFAULTS, ...options }
  }

  /**
   * Lets an attempt to log in be checked when its time has come: after those of the same address before it, and after
   * the wait that its failures have earned.
   * @param check whether the password is right; not called for an address that is locked out
   * @param signal whoever tried has gone
   * @returns what came of it; rejects as `check` does, and when the signal is aborted while it waits
   */
  async tried(
    address: string,
    check: () => Promise<boolean>,
    signal?: AbortSignal
  ): Promise<'right' | 'wrong' | 'locked'> {
    const key = keyOf(address)
    const own = Promise.resolve(this.#turns.get(key)).then(async () => {
      signal?.throwIfAborted()
      const wait = this.attempt(address)
      if (wait === undefined) return 'locked'
      if (wait > 0) await this.#options.wait(wait, signal)
      if (!(await check())) return 'wrong'
      this.succeeded(address)
      return 'right'
    })
    const turn = own.catch(() => {})
    this.#turns.set(key, turn)
    void turn.then(() => this.#turns.get(key) === turn && this.#turns.delete(key))
    return own
  }

  /**
   * Registers an attempt to log in.
   * @returns ms to wait before it is checked; undefined: locked out, it must not be checked
   */
  attempt(address: string): number | undefined {
    const { now, failures, delay, longest, lockout } = this.#options
    const at = now()
    const key = keyOf(address)
    const known = this.#live(key, at) ?? { key, failures: 0, next: at, until: at }
    // The lockout is not prolonged by who goes on trying: the person whose address it is would never get in.
    if (known.failures >= failures) return undefined
    const start = Math.max(at, known.next)
    const wait = Math.min(longest, delay * 2 ** known.failures)
    this.#keep({ key, failures: known.failures + 1, next: start + wait, until: start + lockout })
    return start - at
  }

  /** The attempt was right: the address starts anew. */
  succeeded(address: string): void {
    const key = keyOf(address)
    if (!this.#entries.delete(key)) return
    this.#options.changed({ key, failures: 0, next: 0, until: 0 })
  }

  /** How long an address is locked out yet, ms; 0: it is not. */
  locked(address: string): number {
    const at = this.#options.now()
    const entry = this.#live(keyOf(address), at)
    return entry && entry.failures >= this.#options.failures ? entry.until - at : 0
  }

  /** What is known of all addresses. */
  entries(): ThrottleEntry[] {
    return [...this.#entries.values()]
  }

  /** Takes over what another throttle knew; what is known here already stays. */
  restore(entries: readonly ThrottleEntry[]): void {
    for (const entry of entries) if (!this.#entries.has(entry.key)) this.#entries.set(entry.key, entry)
    this.#shrink()
  }

  #live(key: string, at: number): ThrottleEntry | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > at ? entry : undefined
  }

  #keep(entry: ThrottleEntry): void {
    // Last in order: the first are those that were not heard of for longest.
    this.#entries.delete(entry.key)
    this.#entries.set(entry.key, entry)
    this.#shrink()
    this.#options.changed(entry)
  }

  #shrink(): void {
    const surplus = this.#entries.size - this.#options.addresses
    for (const key of [...this.#entries.keys()].slice(0, Math.max(0, surplus))) this.#entries.delete(key)
  }
}

/** The default clock: it goes on over the ends of processes, and nobody sets it. */
export function monotonic(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** What an address counts as. */
export function keyOf(address: string): string {
  const [bare = ''] = address.toLowerCase().split('%')
  const [, four] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare) ?? []
  if (four !== undefined) return four
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail === undefined || tail === '' ? [] : tail.split(':')
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0')
  const first = [...groups, ...rest].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/64`
}

const DEFAULTS = {
  delay: 500,
  longest: 8_000,
  failures: 10,
  lockout: 15 * 60_000,
  addresses: 10_000,
  now: monotonic,
  wait: (ms: number, signal: AbortSignal | undefined) => sleep(ms, undefined, { signal }),
  changed: () => {}
} as const
