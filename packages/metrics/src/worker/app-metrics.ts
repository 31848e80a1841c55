import { formatLabels } from '../labels.js'
import {
  AGGREGATORS,
  type Aggregator,
  APP_TYPES,
  type AppMetric,
  type AppReport,
  type AppSample,
  MODULE
} from '../report.js'
import { collectOnce, readEach } from './read-each.js'
import { readNow } from './read-now.js'
import type { PromMetric, PromRegistry } from './registries.js'

/** The app's own metrics in this worker: what has changed of them since they were told. */
export class AppMetrics {
  #told = new Map<string, string>()
  /** What was counted before this process was forked, by sample: it is the other's. */
  #before = new Map<string, number>()
  readonly #find: () => ReadonlySet<PromRegistry>
  #tooLarge = false
  /** Metrics whose failure was told. */
  readonly #failed = new Set<string>()
  /** How often it was read without waiting. */
  #last = 0

  constructor(find: () => ReadonlySet<PromRegistry>) {
    this.#find = find
  }

  /** In a process that was forked. */
  forked(): void {
    this.#told = new Map()
    this.#before = new Map()
    this.#tooLarge = false
    this.#failed.clear()
    for (const registry of this.#find()) collectOnce(registry)
    for (const { type, samples } of this.#readNow()) {
      if (type === 'gauge') continue
      for (const [name, labels, value] of samples) this.#before.set(`${name}{${labels}`, Number(value))
    }
  }

  /** All of them, by prom-client's own public way. What cannot be read stays as it was told. @returns what has changed */
  async changes(): Promise<AppReport> {
    const all: AppMetric[] = []
    const failed = new Set<string | undefined>()
    const last = this.#last
    for (const registry of this.#find()) {
      const read = await readEach(registry)
      all.push(...read.metrics.flatMap(toMetric))
      for (const { name, error } of read.failed) {
        failed.add(name)
        this.#tellOf(error, name)
      }
    }
    const present = namesOf(all)
    const gone = (name: string) => present.has(name) || !(failed.has(name) || failed.has(undefined))
    // What was read meanwhile is newer: with this a counter would fall.
    return last === this.#last ? this.#compare(all, gone) : {}
  }

  /** Counters and histograms alone, without waiting: for the moment at which the process ends. */
  lastChanges(): AppReport {
    this.#last += 1
    const all = this.#readNow()
    const present = namesOf(all)
    return this.#compare(all, (name) => present.has(name))
  }

  #readNow(): AppMetric[] {
    const all: AppMetric[] = []
    for (const registry of this.#find()) all.push(...readNow(registry).flatMap(toMetric))
    return all
  }

  /** @param gone whether what is not there any more of a metric is taken back */
  #compare(all: readonly AppMetric[], gone: (name: string) => boolean): AppReport {
    const report: AppReport = {}
    const seen = new Set<string>()
    for (const metric of all) {
      const { samples, type } = metric
      const own = type === 'gauge' ? samples : samples.map((sample) => this.#since(sample))
      for (let part = 0; part === 0 || part * PART < own.length; part += 1) {
        const key = `${metric.name}#${part}`
        if (seen.has(key)) break
        seen.add(key)
        const text = JSON.stringify({ ...metric, samples: own.slice(part * PART, (part + 1) * PART) })
        if (this.#told.get(key) === text || !this.#fits(text, metric.name)) continue
        this.#told.set(key, text)
        report[key] = text
      }
    }
    for (const key of this.#told.keys()) {
      if (seen.has(key) || !gone(key.slice(0, key.lastIndexOf('#')))) continue
      this.#told.delete(key)
      report[key] = null
    }
    return report
  }

  #since([name, labels, value]: AppSample): AppSample {
    const before = this.#before.get(`${name}{${labels}`)
    return typeof value === 'number' && before !== undefined ? [name, labels, value - before] : [name, labels, value]
  }

  /** An app's collect() may throw each second. */
  #tellOf(error: unknown, name = ''): void {
    if (this.#failed.has(name)) return
    this.#failed.add(name)
    console.error(
      `mapache: ${MODULE}: the app's ${name === '' ? 'own metrics' : `metric ${name}`} could not be read:`,
      error
    )
  }

  #fits(text: string, name: string): boolean {
    if (text.length <= LARGEST) return true
    if (!this.#tooLarge) console.error(`mapache: the labels of the metric ${name} are too long; it is left out`)
    this.#tooLarge = true
    return false
  }
}

function namesOf(all: readonly AppMetric[]): Set<string> {
  return new Set(all.map(({ name }) => name))
}

function toMetric({ name, help, type, aggregator, values }: PromMetric): AppMetric[] {
  const known = APP_TYPES.find((one) => one === type)
  if (!known) return []
  const samples = (values ?? []).flatMap((value): AppSample[] => {
    // Quantiles of several processes make no quantile of all.
    if (known === 'summary' && value.metricName === undefined) return []
    return [[value.metricName ?? name, formatLabels(value.labels ?? {}), plain(value.value)]]
  })
  const how: Aggregator = AGGREGATORS.find((one) => one === aggregator) ?? 'sum'
  return [{ name, type: known, help: String(help ?? name), aggregator: how, samples }]
}

/** JSON has no other numbers than finite ones. */
function plain(value: unknown): AppSample[2] {
  const number = Number(value)
  if (Number.isFinite(number)) return number
  return Number.isNaN(number) ? 'NaN' : number > 0 ? '+Inf' : '-Inf'
}

/** So many samples of one metric are told at a time. */
const PART = 200
/** Letters. */
const LARGEST = 200_000
