import type { ClusterStatus } from '@mapache/core'

/** Whether requests should be sent here, and why. A reload changes nothing in it: somebody serves all the while. */
export function readiness({ serving, target, stopping }: Pick<ClusterStatus, 'serving' | 'target' | 'stopping'>) {
  if (stopping) return { ok: false, reason: 'the cluster is stopping' }
  if (serving === 0) return { ok: false, reason: 'no worker serves' }
  return { ok: true, reason: `${serving} of ${target} workers serve` }
}
