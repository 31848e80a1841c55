import path from 'node:path'
import { put } from './deploy.js'
import { FIXTURES, get, type Test, until } from './fixture.js'
import { Life } from './life.js'

/** What a canary that was worse, or good, brings with it: see `CanaryFigures`. */
export interface Figures {
  soak: number
  elapsed: number
  enough: boolean
  canary: { requests: number; errors: number; errorRate: number; crashes: number; p99?: number; delay?: number }
  old: Figures['canary']
}

/** An app of which a test deploys versions, each with its own way to answer. It answers with its version. */
export class CanaryApp extends Life {
  readonly #folder: string

  constructor(t: Test & { testdir(): string }, options: object = {}) {
    const folder = t.testdir()
    const script = put(path.join(folder, 'main.mjs'), MAIN)
    put(path.join(folder, 'app.mjs'), appOf('v1', ANSWER))
    super(t, { script, cwd: folder, options: { workers: 2, settle: 50, ...options } })
    this.#folder = folder
  }

  /**
   * Puts another version in place.
   * @param answer what its listener does with `req` and `res`, as source
   * @param load source that runs when it is loaded
   */
  deploy(version: string, answer = ANSWER, load = ''): void {
    put(path.join(this.#folder, 'app.mjs'), appOf(version, answer, load))
  }

  /** Waits until only workers of that generation are left. */
  async only(generation: number): Promise<void> {
    await until(
      async () => (await this.status()).processes.every((one) => one.generation === generation),
      `generation ${generation} alone`,
      () => this.output
    )
  }
}

/** Clients that ask on a new connection each time, so that each worker gets its share, and count what they are answered. */
export class Traffic {
  /** By version and status: `v1 200`. */
  readonly answers = new Map<string, number>()
  /** What was not answered. */
  readonly lost: string[] = []
  #running = true
  readonly #done: Promise<unknown>

  constructor(t: Test, port: number, clients = 6) {
    this.#done = Promise.all(Array.from({ length: clients }, () => this.#run(port)))
    t.teardown(() => this.stop())
  }

  count(answer: string): number {
    return this.answers.get(answer) ?? 0
  }

  async stop(): Promise<this> {
    this.#running = false
    await this.#done
    return this
  }

  async #run(port: number): Promise<void> {
    while (this.#running) {
      try {
        const { status, body } = await get(port)
        const answer = `${body} ${status}`
        this.answers.set(answer, this.count(answer) + 1)
      } catch (error) {
        this.lost.push((error as Error).message)
      }
    }
  }
}

function appOf(version: string, answer: string, load = ''): string {
  return `const version = '${version}'
const block = (ms) => { const end = performance.now() + ms; while (performance.now() < end); }
${load}
export default () => (req, res) => { ${answer} }`
}

const ANSWER = 'setTimeout(() => res.end(version), 2)'
const MAIN = `import { mapacheHttp } from '@mapache/core'
import { recorder } from 'file://${FIXTURES}/life/recorder.mjs'
const options = { ...JSON.parse(process.env.OPTIONS), modules: [recorder()] }
await mapacheHttp('./app.mjs', options).listen(0, '127.0.0.1')`
