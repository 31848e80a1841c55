import type { ClusterStatus, ProcessInfo } from '@mapache/core'

/** A worker that serves, or what else is said. */
export function aProcess(id: number, over: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    id,
    role: 'worker',
    name: '',
    generation: 1,
    place: id,
    state: 'serving',
    pid: 4_000 + id,
    inState: 60_000,
    age: 61_000,
    failures: 0,
    vitals: vitals(0),
    memory: { pss: 50 * MIB, own: 20 * MIB },
    reason: undefined,
    ...over
  }
}

export function vitals(requests: number, over: Partial<NonNullable<ProcessInfo['vitals']>> = {}) {
  return {
    requests,
    inFlight: 0,
    connections: 0,
    listening: true,
    utilisation: 0,
    delayP99: 1,
    rss: 90 * MIB,
    heapUsed: 10 * MIB,
    ...over
  }
}

/** A cluster in which all is well, or what else is said. */
export function aStatus(over: Partial<ClusterStatus> = {}): ClusterStatus {
  const processes = over.processes ?? [aProcess(1), aProcess(2)]
  return {
    name: 'shop',
    pid: 4_000,
    version: '1.2.3',
    startedAt: 0,
    generation: 1,
    target: 2,
    serving: 2,
    spare: { target: 0, ready: 0 },
    scaling: undefined,
    waiting: 0,
    services: [],
    rollback: undefined,
    roll: undefined,
    forked: false,
    canFork: false,
    stopping: false,
    crashes: [],
    addresses: [{ address: '127.0.0.1', family: 'IPv4', port: 3_000 }],
    ...over,
    processes
  }
}

export const MIB = 2 ** 20
