import type { ClusterStatus, ProcessInfo } from '@mapache/core'
import { formatLabels } from '../labels.js'
import { ABORTED, addRequests, ENDS, emptyRequests, METHODS, type RequestReport } from '../report.js'
import { type Durations, LIFE_BUCKETS } from '../supervisor/counters.js'
import type { Family, Sample } from './exposition.js'
import type { Counted } from './mirror.js'

/** The cluster's own metrics. All begin with `mapache_`; units are seconds, bytes and ratios. */
export function clusterFamilies(counted: Counted, status: ClusterStatus, bounds: readonly number[]): Family[] {
  const requests = sumRequests(counted, bounds.length)
  return [
    counter('http_requests_total', 'Requests by method and end: class of the status, or aborted.', byEnd(requests)),
    histogram('http_request_duration_seconds', 'From a request to the end of its answer.', bounds, {
      buckets: requests.buckets,
      sum: requests.micros / 1e6
    }),
    ...ofWorkers(status),
    ...ofCluster(status),
    ...ofLife(counted),
    ...ofSupervisor(counted)
  ]
}

/** All requests that were ever counted. */
export function sumRequests({ departed, workers }: Counted, bounds: number): RequestReport {
  const sum = emptyRequests(bounds)
  addRequests(sum, departed.requests)
  for (const { requests } of workers.values()) addRequests(sum, requests)
  return sum
}

function byEnd({ counts }: RequestReport): Sample[] {
  return METHODS.flatMap((method, at) => {
    const own = counts.slice(at * ENDS.length, (at + 1) * ENDS.length)
    // A method that was never seen is none of this app's, but that the first GET fails must show as a rise.
    if (method !== 'GET' && own.every((count) => count === 0)) return []
    return ENDS.flatMap((end, index) => {
      const value = own[index] ?? 0
      if (end === '1xx' && value === 0) return []
      return [{ labels: formatLabels({ method, status: index === ABORTED ? 'aborted' : end }), value }]
    })
  })
}

function ofWorkers({ processes }: ClusterStatus): Family[] {
  const workers = processes.filter(({ role }) => role === 'worker')
  const ofEach = (name: string, help: string, read: (one: ProcessInfo) => number | undefined, all = workers) => {
    const samples = all.flatMap((one) => {
      const value = read(one)
      return value === undefined ? [] : [{ labels: labelsOf(one, all !== workers), value }]
    })
    return gauge(name, help, samples)
  }
  return [
    ofEach('worker_requests_in_flight', 'Requests that have no whole answer yet.', ({ vitals }) => vitals?.inFlight),
    ofEach('worker_connections', 'Open connections.', ({ vitals }) => vitals?.connections),
    ofEach(
      'worker_event_loop_utilisation_ratio',
      'Share of the last second in which the event loop was at work.',
      ({ vitals }) => vitals?.utilisation
    ),
    ofEach(
      'worker_event_loop_delay_seconds',
      'Delay of the event loop in the last second, 99th percentile.',
      ({ vitals }) => vitals && vitals.delayP99 / 1_000
    ),
    ofEach('worker_resident_memory_bytes', 'Resident memory, shared pages counted whole.', ({ vitals }) => vitals?.rss),
    ofEach('worker_heap_used_bytes', 'JavaScript heap in use.', ({ vitals }) => vitals?.heapUsed),
    ofEach(
      'process_proportional_memory_bytes',
      'Memory with shared pages divided among those who share them (PSS). Linux.',
      ({ memory }) => memory?.pss,
      processes
    ),
    ofEach(
      'process_own_memory_bytes',
      'Memory that no other process shares. Linux.',
      ({ memory }) => memory?.own,
      processes
    )
  ]
}

function ofCluster(status: ClusterStatus): Family[] {
  const { processes, target, waiting, services, generation, roll, stopping, name, version, startedAt } = status
  const ofServices = (read: (service: ClusterStatus['services'][number]) => number) => {
    return services.map((service) => ({ labels: formatLabels({ name: service.name }), value: read(service) }))
  }
  const states = STATES.map((state) => ({
    labels: formatLabels({ state }),
    value: processes.filter((one) => one.role === 'worker' && one.state === state).length
  }))
  return [
    gauge('workers', 'Workers by state; ready ones are held back as spares.', states),
    gauge('workers_target', 'Workers that should serve.', one(target)),
    gauge('workers_waiting', 'Places of workers that wait to be launched again after failures.', one(waiting)),
    gauge(
      'services',
      'Processes of a service that are at work.',
      ofServices(({ serving }) => serving)
    ),
    gauge(
      'services_target',
      'Processes of a service that should be at work.',
      ofServices(({ target }) => target)
    ),
    gauge('generation', 'The generation that serves.', one(generation)),
    gauge('reload_in_progress', '1 while a reload, refork or rollback runs.', one(roll ? 1 : 0)),
    gauge('stopping', '1 once a stop has begun.', one(stopping ? 1 : 0)),
    gauge('start_time_seconds', 'When the supervisor started, since 1970.', one(startedAt / 1_000)),
    gauge('info', 'The cluster, and the version of @mapache/core in its supervisor.', [
      { labels: formatLabels({ name, version }), value: 1 }
    ])
  ]
}

function ofLife({ pulled: { counters } }: Counted): Family[] {
  const reloads = Object.entries(counters.reloads).flatMap(([kind, results]) => {
    return Object.entries(results).map(([result, value]) => ({ labels: formatLabels({ kind, result }), value }))
  })
  const life = (name: string, help: string, durations: Durations) => histogram(name, help, LIFE_BUCKETS, durations)
  return [
    counter('reloads_total', 'Rolls that ended, by kind and result.', reloads),
    counter(
      'rollbacks_total',
      'Generations that crashed too often, or whose canary was worse, and were rolled back.',
      one(counters.rolledback)
    ),
    life('reload_duration_seconds', 'Of rolls that were done.', counters.reloadDurations),
    life('worker_boot_duration_seconds', 'From the launch of a worker until it could serve.', counters.bootDurations),
    life('worker_drain_duration_seconds', 'From when a worker retired until it left.', counters.drainDurations),
    counter('worker_launches_total', 'Workers that were launched.', one(counters.launches)),
    counter('worker_restarts_total', 'Workers launched in place of one that ended badly.', one(counters.restarts)),
    counter('worker_crashes_total', 'Workers that ended badly, by reason.', by('reason', counters.crashes)),
    counter('drain_cuts_total', 'What drains had to cut at their deadline.', by('what', counters.cuts))
  ]
}

function ofSupervisor({ pulled: { supervisor } }: Counted): Family[] {
  return [
    counter('supervisor_cpu_seconds_total', 'CPU time of the supervisor.', one(supervisor.cpu)),
    gauge('supervisor_resident_memory_bytes', 'Resident memory of the supervisor.', one(supervisor.rss)),
    gauge('supervisor_heap_used_bytes', 'JavaScript heap of the supervisor in use.', one(supervisor.heapUsed))
  ]
}

function labelsOf({ id, place, generation, role, name }: ProcessInfo, any: boolean): string {
  if (!any) return formatLabels({ worker: id, place, generation })
  return formatLabels({ id, place, generation, role, ...(name === '' ? {} : { name }) })
}

function counter(name: string, help: string, samples: Sample[]): Family {
  return { name: `mapache_${name}`, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: Sample[]): Family {
  return { name: `mapache_${name}`, type: 'gauge', help, samples }
}

function histogram(name: string, help: string, bounds: readonly number[], { buckets, sum }: Durations): Family {
  let below = 0
  const samples: Sample[] = buckets.map((count, index) => {
    below += count
    return { suffix: '_bucket', labels: formatLabels({ le: bounds[index] ?? '+Inf' }), value: below }
  })
  samples.push({ suffix: '_sum', labels: '', value: sum }, { suffix: '_count', labels: '', value: below })
  return { name: `mapache_${name}`, type: 'histogram', help, samples }
}

function one(value: number): Sample[] {
  return [{ labels: '', value }]
}

function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([of, value]) => ({ labels: formatLabels({ [label]: of }), value }))
}

const STATES = ['launching', 'ready', 'serving', 'retiring'] as const
