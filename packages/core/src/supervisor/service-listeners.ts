import { formatAddress } from '../address.js'
import type { BoundAddress } from '../channel/messages.js'
import { Listeners } from './listeners.js'

/**
 * The sockets that services listen on, kept for their successors: like the app's own they never close while a service is
 * replaced. Each service has its own, and workers have none of them.
 */
export class ServiceListeners {
  readonly #byName = new Map<string, Listeners>()

  of(name: string): Listeners {
    const known = this.#byName.get(name) ?? new Listeners()
    this.#byName.set(name, known)
    return known
  }

  /** Closes the addresses of a service that its new code does not listen on any more: nobody would answer there. */
  releaseUnused(name: string, used: readonly BoundAddress[]): boolean {
    const listeners = this.of(name)
    const kept = new Set(used.map(formatAddress))
    const unused = listeners.all.filter(({ address }) => !kept.has(formatAddress(address)))
    for (const { key } of unused) listeners.release(key)
    return unused.length > 0
  }

  get sockets(): Listeners['sockets'] {
    return [...this.#byName.values()].flatMap(({ sockets }) => sockets)
  }

  /** @returns the addresses that were closed, with the inodes of their files */
  close(): { address: BoundAddress; inode?: number }[] {
    return [...this.#byName.values()].flatMap((listeners) => listeners.closeDescriptors())
  }
}
