import { readFileSync } from 'node:fs'
import { heldBack, servingWorkers } from '../cluster/reconcile.js'
import { desiredOf } from '../cluster/slots.js'
import type { ClusterStatus } from '../cluster.js'
import type { Supervisor } from './supervisor.js'

/** How the cluster is at the moment. */
export function statusOf(supervisor: Supervisor): ClusterStatus {
  const { plan, parts, clock, roster, processes, scaling, generation, forked, stopping, addresses } = supervisor
  const { roll, previous } = plan
  const now = clock.now()
  return {
    name: parts.name,
    pid: process.pid,
    version: ownVersion(),
    startedAt: Math.round(performance.timeOrigin),
    generation,
    target: plan.settings.workers,
    serving: servingWorkers(roster.members),
    spare: { target: sparesWanted(supervisor), ready: heldBack(roster.members) },
    scaling: scaling.status,
    waiting: roster.waiting('worker', '', now),
    services: plan.services.map(({ name, count }) => ({
      name,
      target: count,
      serving: roster.members.filter((one) => one.role === 'service' && one.name === name && one.state === 'serving')
        .length,
      waiting: roster.waiting('service', name, now)
    })),
    rollback: previous?.generation,
    forked,
    canFork: parts.molds !== undefined,
    roll: roll && { generation: roll.to, kind: roll.kind, phase: roll.phase, canary: supervisor.canary.figures },
    stopping,
    addresses: [...addresses],
    processes: processes.all.map((peer) => processes.info(peer, now)),
    crashes: supervisor.crashes.last(SHOWN_CRASHES)
  }
}

function sparesWanted({ plan, roster }: Supervisor): number {
  const { slots } = desiredOf(plan, roster.members)
  return slots.reduce((sum, slot) => sum + (slot.role === 'worker' ? slot.spare : 0), 0)
}

let version: string | undefined

/** Read when it is asked for: workers load this file, too, and never ask. */
function ownVersion(): string {
  version ??= (JSON.parse(readFileSync(MANIFEST, 'utf8')) as { version: string }).version
  return version
}

const MANIFEST = new URL('../../package.json', import.meta.url)
const SHOWN_CRASHES = 10
