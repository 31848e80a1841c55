import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { put } from './deploy.js'
import { type Fixture, get, start, type Test, until } from './fixture.js'
import { parsePage, sumOf, typesOn } from './metrics.js'

/** An app with metrics of its own, and its page on a Unix socket. */
export class MetricsApp {
  readonly fixture: Fixture
  readonly page: string
  port = 0

  /**
   * @param options of Mapache, as JavaScript
   * @param prepare is called with the app's folder before it is started
   * @param more code of the app
   */
  constructor(t: Test & { testdir(): string }, options = '', prepare: (folder: string) => void = () => {}, more = '') {
    const folder = t.testdir()
    prepare(folder)
    const sockets = mkdtempSync(path.join(tmpdir(), 'mp-'))
    t.teardown(() => rmSync(sockets, { recursive: true }))
    this.page = path.join(sockets, 'm.sock')
    put(path.join(folder, 'app.mjs'), APP + more)
    const entry = put(path.join(folder, 'server.mjs'), server(options))
    this.fixture = start(t, entry, { cwd: folder, env: { METRICS: this.page } })
  }

  /** Stops it: what a test leaves running takes its teardown seconds. */
  async stop(): Promise<void> {
    this.fixture.kill('SIGTERM')
    await this.fixture.exit()
  }

  async serving(workers: number): Promise<void> {
    this.port = await this.fixture.port()
    await this.fixture.workersServing(workers)
    await until(async () => (await this.ask('/healthz')) === 200, 'the page')
  }

  /** @returns the status of a page; 0 when nobody answers */
  async ask(page: string): Promise<number> {
    try {
      return (await get({ socketPath: this.page }, page)).status
    } catch {
      return 0
    }
  }

  async json(page: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const { status, body } = await get({ socketPath: this.page }, page)
    return { status, body: JSON.parse(body) }
  }

  async scrape(): Promise<{ text: string; samples: Map<string, number> }> {
    const { status, body } = await get({ socketPath: this.page }, '/metrics')
    if (status !== 200) throw new Error(`/metrics: ${status} ${body}`)
    return { text: body, samples: parsePage(body) }
  }

  /** Waits until the sum of a metric over the labels is this, and looks that it stays no more than this. */
  async reaches(name: string, value: number, labels?: RegExp): Promise<void> {
    let last = Number.NaN
    const look = async () => {
      last = sumOf((await this.scrape()).samples, name, labels)
      return last >= value
    }
    await until(look, `${name} ${labels ?? ''} to be ${value}`, () => `it is ${last}\n${this.fixture.output}`)
    if (last !== value) throw new Error(`${name} ${labels ?? ''} is ${last}, more than ${value}`)
  }
}

/** Scrapes on and on, and notes every sum that falls, and every scrape that fails. */
export class NeverFalls {
  readonly fallen: string[] = []
  readonly pages: string[] = []
  scrapes = 0
  #running = true
  readonly #done: Promise<void>

  constructor(t: Test, app: MetricsApp) {
    this.#done = this.#run(app)
    t.teardown(() => this.end())
  }

  /** @returns what fell */
  async end(): Promise<string[]> {
    this.#running = false
    await this.#done
    return this.fallen
  }

  async #run(app: MetricsApp): Promise<void> {
    let before = new Map<string, number>()
    while (this.#running) {
      try {
        const { text, samples } = await app.scrape()
        const types = typesOn(text)
        for (const [sample, value] of before) {
          const name = sample.replace(/\{.*/, '')
          const sums =
            types.get(name) === 'counter' || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram'
          if (sums && !((samples.get(sample) ?? -1) >= value))
            this.fallen.push(`${sample}: ${value}, ${samples.get(sample)}`)
        }
        before = samples
        this.scrapes += 1
        this.pages.push(text)
      } catch (error) {
        this.fallen.push(String(error))
      }
    }
  }
}

const APP = `import { worker } from '@mapache/core/worker'
import { Counter, Gauge, Histogram } from 'prom-client'
const hits = new Counter({ name: 'app_hits_total', help: 'Hits.', labelNames: ['path'] })
const cost = new Histogram({ name: 'app_cost_ratio', help: 'Cost.', buckets: [0.1, 1] })
const most = new Gauge({ name: 'app_most_bytes', help: 'Most.', aggregator: 'max' })
const exits = new Counter({ name: 'app_exits_total', help: 'Ends.' })
new Gauge({ name: 'app_workers', help: 'One each.' }).set(1)
new Gauge({ name: 'mapache_generation', help: 'Not ours.' }).set(77)
process.prependListener('exit', () => exits.inc())
export default () => (req, res) => {
  hits.inc({ path: req.url })
  cost.observe(0.1 + worker.id / 7)
  most.set(worker.id)
  if (req.url === '/fail') res.statusCode = 500
  if (req.url === '/exit') return process.exit(1)
  if (req.url === '/kill') return process.kill(process.pid, 'SIGKILL')
  if (req.url.startsWith('/slow')) {
    res.write('slow')
    // Until the worker is told to leave, and a while longer.
    return void worker.onRetire(() => new Promise((done) => setTimeout(() => { hits.inc({ path: 'late' }); res.end('ly'); done() }, 300)))
  }
  if (req.url === '/open') return void res.write('open')
  res.end('ok')
}
`

function server(options: string): string {
  return `import { mapacheHttp } from '@mapache/core'
import { metrics } from '@mapache/metrics'
const page = metrics({ path: process.env.METRICS })
await mapacheHttp('./app.mjs', { workers: 2, settle: 50, backoff: { min: 20, max: 200 }, modules: [page], ${options} }).listen(0, '127.0.0.1')
`
}
