import type { MessageSpec } from '@mapache/core'
import type { ThrottleEntry } from './credential.js'

/** The supervisor's side of the throttle: what outlives the shell's processes. */
export class ThrottleState {
  readonly #entries = new Map<string, ThrottleEntry>()

  /** `throttle`: an address has changed. */
  readonly changes: MessageSpec = {
    from: ['service'],
    check: checkEntry,
    receive: (entry: ThrottleEntry) => {
      this.#entries.delete(entry.key)
      if (entry.failures === 0) return
      this.#entries.set(entry.key, entry)
      const [oldest] = this.#entries.keys()
      if (this.#entries.size > MOST && oldest !== undefined) this.#entries.delete(oldest)
    }
  }

  /** `throttled`: a new process asks for all. */
  readonly questions: MessageSpec = {
    from: ['service'],
    check: () => undefined,
    receive: (_nothing: never, sender) => sender.send('throttled', [...this.#entries.values()])
  }
}

function checkEntry(data: unknown): ThrottleEntry {
  const { key, failures, next, until } = (data ?? {}) as ThrottleEntry
  const fits = typeof key === 'string' && key.length <= 100 && [failures, next, until].every(Number.isFinite)
  if (!fits) throw new TypeError('must be { key, failures, next, until }')
  return { key, failures, next, until }
}

/** A message carries so many. */
const MOST = 500
