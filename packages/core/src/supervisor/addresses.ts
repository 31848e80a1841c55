import { expandLocalhost, type ListenAddress, resolveAddress } from '../address.js'
import type { MapacheError } from '../errors.js'
import type { Listeners } from './listeners.js'

/**
 * Binds what `listen` was given: `localhost` on both families, a port 0 chosen once and used for both.
 * @param patient whether leaving workers of a dead supervisor may still hold an address
 * @throws MAPACHE_ADDRESS_IN_USE, MAPACHE_ADDRESS_DENIED, MAPACHE_ADDRESS_UNAVAILABLE
 */
export async function bindAddresses(
  listeners: Listeners,
  addresses: readonly ListenAddress[],
  patient: () => boolean
): Promise<void> {
  const ordinals = new Map<string, number>()
  for (const address of addresses) {
    let port: number | undefined
    for (const one of await expandLocalhost(address)) {
      const wanted = await resolveAddress(port === undefined ? one : { ...one, port })
      if ('port' in wanted && wanted.port === 0) wanted.ordinal = nextOrdinal(ordinals, wanted.host)
      try {
        const { address: bound } = await listeners.bind(wanted, patient)
        if ('port' in bound) port ??= bound.port
      } catch (error) {
        // localhost may name a family that this machine does not have.
        const missing = (error as MapacheError).code === 'MAPACHE_ADDRESS_UNAVAILABLE'
        if (!missing || port === undefined) throw error
      }
    }
  }
}

/** Of several requests for any free port on one host: the first, the second ... Workers count in the same way. */
export function nextOrdinal(ordinals: Map<string, number>, host = '*'): number {
  const ordinal = ordinals.get(host) ?? 0
  ordinals.set(host, ordinal + 1)
  return ordinal
}
