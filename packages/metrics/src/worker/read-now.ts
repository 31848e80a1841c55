import type { PromMetric, PromRegistry } from './registries.js'

/**
 * Reads the counters, histograms and summaries of a registry without waiting, which prom-client's own functions cannot: a
 * process that ends has no later. What has another form than in prom-client 13 to 15 is left as it was told last.
 */
export function readNow(registry: PromRegistry): PromMetric[] {
  const defaults = (registry as { _defaultLabels?: Record<string, unknown> })._defaultLabels ?? {}
  return (registry.getMetricsAsArray?.() ?? []).flatMap((metric) => {
    try {
      return read(metric as Stored, defaults)
    } catch {
      // Of another form after all.
      return []
    }
  })
}

function read(metric: Stored, defaults: Record<string, unknown>): PromMetric[] {
  const { name, help, type, aggregator, hashMap } = metric
  if (!hashMap || typeof hashMap !== 'object') return []
  const values: PromMetric['values'] = []
  const add = (metricName: string, labels: Record<string, unknown>, value: unknown) => {
    if (typeof value !== 'number') throw new TypeError(`${metricName} is no number`)
    values.push({ metricName, labels: { ...defaults, ...labels }, value })
  }
  for (const { labels = {}, value, bucketValues, sum, count } of Object.values(hashMap)) {
    if (type === 'counter') add(name, labels, value)
    if (type === 'histogram' && bucketValues && metric.upperBounds) {
      let below = 0
      for (const le of metric.upperBounds) {
        below += bucketValues[le] ?? 0
        add(`${name}_bucket`, { ...labels, le }, below)
      }
      add(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
    }
    if (type === 'histogram' || type === 'summary') {
      add(`${name}_sum`, labels, sum)
      add(`${name}_count`, labels, count)
    }
  }
  return type === 'counter' || type === 'histogram' || type === 'summary'
    ? [{ name, help, type, aggregator, values }]
    : []
}

/** How prom-client keeps what was measured. */
interface Stored {
  name: string
  help: string
  type: string
  aggregator?: string
  upperBounds?: number[]
  hashMap?: Record<
    string,
    {
      labels?: Record<string, unknown>
      value?: number
      bucketValues?: Record<string, number>
      sum?: number
      count?: number
    }
  >
}
