import type { ClusterEvents } from '@mapache/core'
import type { RemoteCluster } from '../find.js'
import type { ClusterEvent } from './progress.js'

/** Listens to all of a cluster's events but its log. @returns ends it */
export function onEvents(cluster: RemoteCluster, take: (event: ClusterEvent) => void): () => void {
  const listeners = EVENTS.map((name) => {
    const listener = (data?: unknown) => take({ name, data } as ClusterEvent)
    cluster.on(name, listener)
    return () => cluster.off(name, listener)
  })
  return () => {
    for (const off of listeners) off()
  }
}

const STEPS = ['launch', 'ready', 'serving', 'retire', 'exit'] as const
const ROLES = ['worker', 'service', 'mold', 'task'] as const
const EVENTS: readonly (keyof ClusterEvents)[] = [
  ...ROLES.flatMap((role) => STEPS.map((step) => `${role}:${step}` as const)),
  'worker:vitals',
  'setup:start',
  'setup:done',
  'setup:failed',
  'reload:start',
  'reload:soaking',
  'reload:soaked',
  'reload:settled',
  'reload:done',
  'reload:failed',
  'reload:rolledback',
  'app:failed',
  'crash:storm',
  'scale',
  'stop',
  'stopped'
]
