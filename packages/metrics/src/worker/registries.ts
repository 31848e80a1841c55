import { createRequire } from 'node:module'

/** What of prom-client's Registry is used; nothing of prom-client itself is. */
export interface PromRegistry {
  getMetricsAsJSON(): Promise<PromMetric[]> | PromMetric[]
  getMetricsAsArray?(): unknown[]
}

/** A metric of prom-client, as its registry holds it. */
export interface HeldMetric {
  name: string
  type?: unknown
  collect?: unknown
  get(): Promise<PromMetric> | PromMetric
}

/** What `getMetricsAsJSON()` gives for each metric. */
export interface PromMetric {
  name: string
  help?: string
  type: unknown
  aggregator?: unknown
  values?: { value: number; labels?: Record<string, unknown>; metricName?: string }[]
}

/**
 * Has the metrics of a registry shown on the cluster's page. The default registry of prom-client is found without this;
 * it is for others, and for an app that is bundled into one file.
 * @param registry a `Registry` of prom-client, or what has its `getMetricsAsJSON()`
 * @throws TypeError when it has no such function
 */
export function register(registry: PromRegistry): void {
  if (!isRegistry(registry)) throw new TypeError('metrics.register takes a Registry of prom-client')
  registered().add(registry)
}

/** Those that were registered, and the default one of each prom-client that was loaded. */
export function findRegistries(): ReadonlySet<PromRegistry> {
  const found = registered()
  // Loaded by import, too, a CommonJS module comes to stand there.
  const keys = Object.keys(cache)
  if (keys.length === looked) return found
  looked = keys.length
  for (const key of keys) {
    if (!PROM_CLIENT.test(key)) continue
    const registry = (cache[key]?.exports as { register?: unknown } | undefined)?.register
    // One that is being loaded at this moment has none yet.
    if (isRegistry(registry)) found.add(registry)
    else looked = -1
  }
  return found
}

/** By a global symbol: the app may have a copy of this package other than the one that was loaded ahead of it. */
function registered(): Set<PromRegistry> {
  const place = globalThis as { [KEY]?: Set<PromRegistry> }
  place[KEY] ??= new Set()
  return place[KEY]
}

function isRegistry(value: unknown): value is PromRegistry {
  return typeof (value as PromRegistry | undefined)?.getMetricsAsJSON === 'function'
}

const { cache } = createRequire(import.meta.url)
let looked = -1
const KEY = Symbol.for('mapache.metrics.registries')
const PROM_CLIENT = /[\\/]prom-client[\\/]index\.js$/
