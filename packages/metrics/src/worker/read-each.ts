import type { HeldMetric, PromMetric, PromRegistry } from './registries.js'

/** What could be read of a registry, and what could not. */
export interface Read {
  metrics: PromMetric[]
  /** By the metric's name; of a registry that could not be read at all, by none. */
  failed: { name?: string; error: unknown }[]
}

/**
 * Reads a registry by its own function, and where that fails metric by metric: one whose collect() throws is not to take the
 * others with it.
 */
export async function readEach(registry: PromRegistry): Promise<Read> {
  try {
    return { metrics: await registry.getMetricsAsJSON(), failed: [] }
  } catch (error) {
    const held = heldBy(registry)
    if (held.length === 0) return { metrics: [], failed: [{ error }] }
    const results = await Promise.allSettled(held.map(async (metric) => metric.get()))
    const read: Read = { metrics: [], failed: [] }
    const defaults = (registry as { _defaultLabels?: Record<string, unknown> })._defaultLabels ?? {}
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') read.metrics.push(withDefaults(result.value, defaults))
      else read.failed.push({ name: (held[index] as HeldMetric).name, error: result.reason })
    }
    return read
  }
}

/**
 * Has what is measured only when it is read measured once, for nothing: in a fork, what the process has used so far begins
 * again at zero, and prom-client's counters of it throw at that once.
 */
export function collectOnce(registry: PromRegistry): void {
  for (const metric of heldBy(registry)) {
    if (metric.type === 'gauge' || typeof metric.collect !== 'function') continue
    // What is in vain here is told of when it happens again.
    void (async () => metric.get())().catch(() => {})
  }
}

function heldBy(registry: PromRegistry): HeldMetric[] {
  const held = registry.getMetricsAsArray?.() ?? []
  return held.filter((metric): metric is HeldMetric => {
    const { name, get } = Object(metric) as Partial<HeldMetric>
    return typeof name === 'string' && typeof get === 'function'
  })
}

function withDefaults(metric: PromMetric, defaults: Record<string, unknown>): PromMetric {
  const values = metric.values?.map((value) => ({ ...value, labels: { ...defaults, ...value.labels } }))
  return values ? { ...metric, values } : metric
}
