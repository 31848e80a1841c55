import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { put } from './deploy.js'
import { before, FIXTURES, type Test, until } from './fixture.js'
import { install } from './forking.js'
import { Life } from './life.js'

/** How workers are launched: as a new program, forked from a base, or out of a standby process. */
export type Way = 'spawned' | 'fork' | 'standby'

export interface OldFirstOptions {
  way?: Way
  secure?: boolean
  /** Options of Mapache, beside two workers. */
  settings?: object
  /** More of the module that is beside the recorder: `worker`, `fallback`. */
  brings?: Record<string, string>
  /** Files of the app's folder. */
  files?: Record<string, string>
  env?: NodeJS.ProcessEnv
}

/**
 * An app for reloads in which the old workers go first: it answers what the loss client asks, tells its version, and waits
 * or blocks where it is asked to.
 */
export class OldFirstApp extends Life {
  readonly app: string
  readonly way: Way
  readonly secure: boolean

  constructor(t: Test, options: OldFirstOptions = {}) {
    const { way = 'spawned', secure = false, settings, brings = {}, files = {}, env } = options
    const app = mkdtempSync(path.join(tmpdir(), 'mp-app-'))
    if (way === 'fork') install(app)
    for (const [name, text] of Object.entries({ 'heavy.mjs': HEAVY, ...files })) put(path.join(app, name), text)
    put(path.join(app, 'app.mjs'), versionOf(1))
    const script = put(
      path.join(app, 'main.mjs'),
      mainOf({ ...brings, ...(way === 'spawned' ? {} : { primes: 'auto' }) })
    )
    super(t, {
      cwd: app,
      script,
      options: { workers: 2, settle: 50, ...settings },
      env: { SECURE: secure ? '1' : '', ...env }
    })
    this.app = app
    this.way = way
    this.secure = secure
    t.teardown(() => rmSync(app, { recursive: true, force: true }))
  }

  /** Waits until all workers serve, of a base where they are to come from one. @returns the port */
  async up(workers = 2): Promise<number> {
    const port = await this.port()
    await this.workersServing(workers)
    if (this.way !== 'spawned') await this.prime()
    return port
  }

  /** Has a base made that holds heavy.mjs. */
  prime(...modules: string[]): Promise<{ how: string }> {
    const url = pathToFileURL(path.join(this.app, 'heavy.mjs')).href
    return this.call('prime', modules.length > 0 ? modules : [url], this.way === 'standby' ? 'standby' : 'auto')
  }

  /** Puts another version in place. @param code source that runs when it is loaded */
  deploy(version: number, code = ''): void {
    put(path.join(this.app, 'app.mjs'), versionOf(version, code))
  }

  oldFirst(): Promise<{ generation: number; duration: number }> {
    return this.call('reload', { oldFirst: true })
  }
}

/** What `/version` answers. */
export interface Version {
  version: number
  pid: number
  generation: number
  /** The process that loaded heavy.mjs; none where nobody did. */
  heavy?: number
  flavour?: string
  removed?: string
}

/**
 * Clients that ask for the version again and again on connections that they keep. No old answer may follow a new one: a
 * request that was sent after an answer of some version had come is answered with that version, or a later one.
 */
export class Versions {
  readonly wrong: string[] = []
  answered = 0
  latest = 0
  #running = true
  readonly #done: Promise<unknown>
  readonly #app: OldFirstApp
  readonly #port: number

  constructor(t: Test, app: OldFirstApp, port: number, clients = 4) {
    this.#app = app
    this.#port = port
    this.#done = Promise.all(Array.from({ length: clients }, (_, index) => this.#ask(index % 2 === 0)))
    t.teardown(() => this.stop())
  }

  /** Waits until so many more were answered. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count
    await until(() => this.answered >= enough || this.wrong.length > 0, 'answers')
  }

  /** @returns what went wrong */
  async stop(): Promise<string[]> {
    this.#running = false
    await this.#done
    return this.wrong
  }

  async #ask(keepAlive: boolean): Promise<void> {
    const { secure } = this.#app
    const agent = new (secure ? https : http).Agent({ keepAlive, maxSockets: 1 })
    while (this.#running) {
      const least = this.latest
      try {
        const { version } = await askVersion(this.#port, secure, agent)
        if (version < least) this.wrong.push(`version ${version} after ${least}`)
        this.latest = Math.max(this.latest, version)
        this.answered += 1
      } catch (error) {
        this.wrong.push((error as Error).message)
      }
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    agent.destroy()
  }
}

/** @param agent without one the connection is the request's own */
export async function askVersion(port: number, secure = false, agent?: http.Agent): Promise<Version> {
  const answer = new Promise<Version>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/version', agent: agent ?? false, rejectUnauthorized: false }
    const sent = (secure ? https : http).get(options as https.RequestOptions, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${response.statusCode} ${text}`))
      })
      response.on('error', reject)
    })
    sent.on('error', reject)
  })
  return before(answer, () => 'a version')
}

const HEAVY = 'globalThis.heavy = process.pid'

function mainOf(brings: Record<string, string>): string {
  return `import { mapacheHttp } from '${import.meta.resolve('@mapache/core')}'
import { recorder } from '${pathToFileURL(path.join(FIXTURES, 'life/recorder.mjs')).href}'
const modules = [recorder(), { name: 'brings', ...${JSON.stringify(brings)} }]
const options = { ...JSON.parse(process.env.OPTIONS), modules }
await mapacheHttp('./app.mjs', options).listen({ port: 0, host: '127.0.0.1' })
`
}

function versionOf(version: number, code = ''): string {
  return `import http from 'node:http'
import https from 'node:https'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { worker } from '${import.meta.resolve('@mapache/core/worker')}'
import { certificate, lossApp } from '${new URL('./loss/index.js', import.meta.url).href}'

const version = ${version}
const gate = (name) => existsSync(path.join(process.env.GATE, name))
${code}
function about() {
  const { FLAVOUR: flavour, REMOVED: removed } = process.env
  return JSON.stringify({ version, pid: process.pid, generation: worker.generation, heavy: globalThis.heavy, flavour, removed })
}

async function listener(req, res) {
  const { pathname, searchParams } = new URL(req.url, 'http://x')
  const name = searchParams.get('name')
  if (name) console.log('reached ' + name + ' ' + process.pid)
  if (pathname === '/exit') process.exit(7)
  if (pathname === '/throw') setImmediate(() => { throw new Error('thrown by version ' + version) })
  if (pathname === '/block') while (!gate(name));
  if (pathname === '/hold') while (!gate(name)) await new Promise((resolve) => setTimeout(resolve, 5))
  if (pathname === '/half') {
    res.write('half')
    while (!gate(name)) await new Promise((resolve) => setTimeout(resolve, 5))
    return res.end(' and whole ' + version)
  }
  if (['/version', '/block', '/hold', '/echo'].includes(pathname)) {
    let text = ''
    for await (const piece of req) text += piece
    return res.end(text === '' ? about() : text + ' ' + version)
  }
  lossApp(req, res)
}
export default () => (process.env.SECURE ? https.createServer(certificate, listener) : http.createServer(listener))
`
}
