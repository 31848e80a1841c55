import type { BoundAddress, ProcessInfo } from '@mapache/core'
import type { Overview, WorkerRates } from '../overview.js'
import type { Frame, Process, Sample } from './client/wire.js'
import { plainText } from './text.js'

/** What the page needs of an overview, and no more. */
export function frameOf({ time, status, cluster, workers, totals, ready }: Overview): Frame {
  const rates = new Map(workers.map((worker) => [worker.id, worker]))
  const processes = status.processes.map((info) => processOf(info, rates.get(info.id)))
  const known = processes.flatMap(({ memory }) => (memory ? [memory] : []))
  const { roll } = status
  return {
    time,
    name: plainText(status.name),
    pid: status.pid,
    version: status.version,
    startedAt: status.startedAt,
    generation: status.generation,
    target: status.target,
    serving: status.serving,
    waiting: status.waiting,
    rollback: status.rollback ?? null,
    forked: status.forked,
    stopping: status.stopping,
    addresses: status.addresses.map(addressText),
    roll: roll ? { generation: roll.generation, kind: roll.kind, phase: roll.phase } : null,
    ready: { ok: ready.ok, reason: plainText(ready.reason) },
    requests: cluster.requestsPerSecond,
    p99: cluster.p99 ?? null,
    inFlight: cluster.inFlight,
    connections: cluster.connections,
    memory:
      known.length === 0
        ? null
        : { own: sum(known.map(({ own }) => own)), shared: sum(known.map(({ shared }) => shared)) },
    totals,
    processes
  }
}

/** The second in the charts. */
export function sampleOf({ time, requests, p99, memory }: Frame): Sample {
  return [time, requests, p99, memory?.own ?? null, memory?.shared ?? null]
}

function processOf(info: ProcessInfo, rates: WorkerRates | undefined): Process {
  const { memory, vitals } = info
  return {
    id: info.id,
    role: info.role,
    name: plainText(info.name),
    generation: info.generation,
    state: info.state,
    pid: info.pid ?? null,
    age: info.age,
    reason: info.reason ?? null,
    failures: info.failures,
    requests: rates?.requestsPerSecond ?? null,
    p99: rates?.p99 ?? null,
    inFlight: rates?.inFlight ?? vitals?.inFlight ?? null,
    utilisation: vitals?.utilisation ?? null,
    memory: memory ? { own: memory.own, shared: Math.max(0, memory.pss - memory.own) } : null
  }
}

function addressText(address: BoundAddress): string {
  if ('path' in address) return plainText(address.path)
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
