import { exactSum } from '../exact-sum.js'
import type { AppMetric } from '../report.js'
import type { Family } from './exposition.js'
import type { Counted } from './mirror.js'

/**
 * Makes one page of what the app's own registries hold in all workers: counters, histograms and summaries are summed with
 * those of the workers that have left, gauges by their aggregator over those that are there. Names that begin with
 * `mapache_` are ours.
 */
export function mergeApp({ departed, workers }: Pick<Counted, 'departed' | 'workers'>): Family[] {
  // The newest first: where code of two generations means different things by a name, the new one's counts.
  const newest = [...workers].sort(([a], [b]) => b - a)
  const merged = new Map<string, Merged>()
  for (const [, { metrics }] of newest) for (const metric of metrics.values()) take(merged, metric)
  for (const metric of departed.metrics.values()) if (metric.type !== 'gauge') take(merged, metric)
  return [...merged.values()].map(finish).sort((a, b) => (a.name < b.name ? -1 : 1))
}

interface Merged {
  metric: Omit<AppMetric, 'samples'>
  values: Map<string, { name: string; labels: string; values: number[] }>
}

function take(merged: Map<string, Merged>, { samples, ...metric }: AppMetric): void {
  if (metric.name.startsWith(RESERVED) || metric.aggregator === 'omit') return
  let family = merged.get(metric.name)
  if (!family) {
    family = { metric, values: new Map() }
    merged.set(metric.name, family)
  }
  if (family.metric.type !== metric.type) return
  for (const [name, labels, printed] of samples) {
    if (!name.startsWith(metric.name)) continue
    const value = typeof printed === 'number' ? printed : Number(printed.replace('Inf', 'Infinity'))
    const key = `${name}{${labels}`
    const known = family.values.get(key)
    if (known) known.values.push(value)
    else family.values.set(key, { name, labels, values: [value] })
  }
}

function finish({ metric, values }: Merged): Family {
  const { name, type, help, aggregator } = metric
  // Only a gauge's values are anything else than parts of a sum.
  const combine = COMBINE[type === 'gauge' ? aggregator : 'sum']
  const samples = [...values.values()].map(({ name: sample, labels, values }) => ({
    suffix: sample.slice(name.length),
    labels,
    value: combine(values)
  }))
  return { name, type, help, samples }
}

const COMBINE = {
  sum: exactSum,
  average: (values: readonly number[]) => exactSum(values) / values.length,
  min: (values: readonly number[]) => Math.min(...values),
  max: (values: readonly number[]) => Math.max(...values),
  first: ([first = 0]: readonly number[]) => first,
  omit: exactSum
} as const
const RESERVED = 'mapache_'
