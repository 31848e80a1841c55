import type { ClusterStatus } from '@mapache/core'
import { formatRate, formatShare, plural } from '../format.js'
import { plain } from '../plain.js'

/** A status in one line, for who has no screen. @param perSecond requests a second */
export function summary(status: ClusterStatus, perSecond: number): string {
  const inFlight = status.processes.reduce((sum, { vitals }) => sum + (vitals?.inFlight ?? 0), 0)
  const busiest = Math.max(0, ...status.processes.map(({ vitals }) => vitals?.utilisation ?? 0))
  const parts = [
    `${status.serving}/${status.target} serve`,
    `gen ${status.generation}`,
    `${formatRate(perSecond)} req/s`,
    `${plural(inFlight, 'request')} in flight`,
    `loop ${formatShare(busiest)}`
  ]
  if (status.roll) parts.push(`${status.roll.kind} to gen ${status.roll.generation}: ${status.roll.phase}`)
  if (status.waiting > 0) parts.push(`${status.waiting} waiting`)
  if (status.stopping) parts.push('stopping')
  return plain(parts.join('  '))
}
