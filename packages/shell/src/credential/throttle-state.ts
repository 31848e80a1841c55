import type { MessageSpec, ServiceHandle } from '@mapache/core'
import { Throttle, type ThrottleEntry } from './throttle.js'

/** The supervisor's side of a throttle: what outlives the service's processes. Its messages are the module's. */
export class ThrottleState {
  readonly #entries = new Map<string, ThrottleEntry>()

  get messages(): Record<string, MessageSpec> {
    return { [CHANGED]: this.#changes, [KNOWN]: this.#questions }
  }

  /** An address has changed. */
  readonly #changes: MessageSpec = {
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

  /** A new process asks for all. */
  readonly #questions: MessageSpec = {
    from: ['service'],
    check: () => undefined,
    receive: (_nothing: never, sender) => sender.send(KNOWN, [...this.#entries.values()])
  }
}

/**
 * The service's side: a throttle that knows what the process before this one knew.
 * @param module the name of the module, which has the messages of a `ThrottleState`
 */
export async function keptThrottle(service: ServiceHandle, module: string): Promise<Throttle> {
  const throttle = new Throttle({ changed: (entry) => service.send(module, CHANGED, entry) })
  // Before anybody may try.
  await new Promise<void>((resolve) => {
    service.onMessage(module, KNOWN, (entries) => {
      throttle.restore(entries as ThrottleEntry[])
      resolve()
    })
    service.send(module, KNOWN, null)
  })
  return throttle
}

function checkEntry(data: unknown): ThrottleEntry {
  const { key, failures, next, until } = (data ?? {}) as ThrottleEntry
  const fits = typeof key === 'string' && key.length <= 100 && [failures, next, until].every(Number.isFinite)
  if (!fits) throw new TypeError('must be { key, failures, next, until }')
  return { key, failures, next, until }
}

/** A message carries so many. */
const MOST = 500
const CHANGED = 'throttle'
const KNOWN = 'throttled'
