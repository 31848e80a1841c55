import { parseCredential, type Throttle } from '@mapache/shell/credential'
import type { Credential } from '../page/credential.js'

/**
 * The check of a password that is known by its hash alone, as the shell has it: who guesses is slowed down, by address.
 * @param hash what `mapache shell passwd` prints
 * @param throttle what is known of the addresses
 * @throws MAPACHE_CREDENTIAL_INVALID; what was given is not shown
 */
export function passwordCredential(hash: string, throttle: Throttle): Credential {
  const credential = parseCredential(hash)
  return {
    async verify(password, address, signal) {
      const tried = throttle.tried(address, () => credential.verify(password), signal)
      const came = await tried.catch((error) => {
        if (signal.aborted) return 'gone'
        throw error
      })
      if (came === 'right') return { ok: true }
      return came === 'locked' ? { ok: false, retryAfter: throttle.locked(address) } : { ok: false }
    }
  }
}
