import { identity } from '../log.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** Refuses a message that fits the protocol and not what its sender is about. */
export function refuse(supervisor: Supervisor, peer: Peer, reason: string): void {
  const text = reason.slice(0, 300)
  supervisor.log.warn(`MAPACHE_CHANNEL_REFUSED: a message of ${identity(peer.member)}: ${text}`)
  peer.connection?.send({ type: 'refused', reason: text })
}
