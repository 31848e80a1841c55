import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { put } from './deploy.js'
import { FIXTURES, type FixtureOptions, get, isRunning, ROOT, type Test, until } from './fixture.js'
import { Life } from './life.js'

export interface ForkingOptions extends FixtureOptions {
  /** Options of Mapache, beside two workers and a short settle. */
  settings?: object
  /** What the app's module does when it is loaded, beside the rest. */
  load?: string
  /** The request listener in place of the one that tells of the process, as source. */
  listener?: string
  /** In place of @mapache/native's own: members of the module, as source, with the real one as `real`. */
  native?: string
}

/**
 * An app in a folder of its own that has @mapache/native installed. It answers with what its process is, as JSON, and with
 * its version.
 */
export class ForkingApp extends Life {
  readonly app: string
  readonly #listener: string

  constructor(t: Test, { settings, load = '', listener = TELLS, native, ...rest }: ForkingOptions = {}) {
    const app = mkdtempSync(path.join(tmpdir(), 'mp-app-'))
    install(app, native)
    put(path.join(app, 'app.mjs'), appOf(1, load, listener))
    const script = put(path.join(app, 'main.mjs'), MAIN)
    super(t, { cwd: app, ...rest, script, options: { workers: 2, settle: 50, ...settings } })
    this.app = app
    this.#listener = listener
    t.teardown(() => rmSync(app, { recursive: true, force: true }))
  }

  /** Puts another version of the app in place. */
  deploy(version: number, load = ''): void {
    put(path.join(this.app, 'app.mjs'), appOf(version, load, this.#listener))
  }

  /** The pid of the mold of a generation, once it is ready. */
  async mold(generation = 1, from = 0): Promise<number> {
    const ready = `mold=\\d+ gen=${generation} pid=(\\d+) ready|pid=(\\d+) is the mold of gen=${generation} now`
    const [, loaded, promoted] = await this.printed(new RegExp(ready), from)
    return Number(loaded ?? promoted)
  }

  /** What one of the workers says of itself. */
  async ask(at = '/'): Promise<Said> {
    return JSON.parse((await get(await this.port(), at)).body) as Said
  }

  /** Does something and waits until the workers that served are all replaced. @returns the pids of those that serve */
  async replaced(act: () => unknown): Promise<number[]> {
    const before = this.workers
    await act()
    await until(
      () => this.workers.length === before.length && !this.workers.some((pid) => before.includes(pid)),
      'other workers',
      () => this.output
    )
    return this.workers
  }

  /** Ends a worker as a crash would, and waits for the one in its place. @returns its pid */
  async crash(pid = this.workers[0] as number): Promise<number> {
    const before = this.workers
    process.kill(pid, 'SIGKILL')
    await until(
      () => !isRunning(pid) && this.workers.length === before.length && !this.workers.includes(pid),
      'a replacement',
      () => this.output
    )
    return this.workers.find((one) => !before.includes(one)) as number
  }
}

/** What a worker of the app says of itself. */
export interface Said {
  version: number
  pid: number
  ppid: number
  id: number
  generation: number
  title: string
  loadedBy: number
  forks: number
  random: number
  uuid: string
  int: number
}

/** Makes a folder one that has @mapache/native installed, or another in its place. */
export function install(app: string, native?: string): void {
  const scope = path.join(app, 'node_modules/@mapache')
  mkdirSync(scope, { recursive: true })
  symlinkSync(path.join(ROOT, 'packages/core'), path.join(scope, 'core'))
  const real = path.join(ROOT, 'packages/native')
  if (native === undefined) return symlinkSync(real, path.join(scope, 'native'))
  const url = pathToFileURL(path.join(real, 'dist/index.js')).href
  put(
    path.join(scope, 'native/package.json'),
    '{ "name": "@mapache/native", "type": "module", "exports": "./index.js" }'
  )
  put(path.join(scope, 'native/index.js'), `import * as real from '${url}'\nexport * from '${url}'\n${native}\n`)
}

const MAIN = `import { mapacheHttp } from '@mapache/core'
import { recorder } from '${pathToFileURL(path.join(FIXTURES, 'life/recorder.mjs')).href}'
const options = { ...JSON.parse(process.env.OPTIONS), modules: [recorder()] }
await mapacheHttp('./app.mjs', options).listen({ port: 0, host: '127.0.0.1' })
`

const TELLS = `(req, res) => {
  if (req.url === '/exit') process.exit(3)
  if (req.url === '/throw') setImmediate(() => { throw new Error('thrown by a request') })
  globalThis.onRequest?.(req.url)
  const { pid, ppid, title } = process
  const { id, generation } = worker
  const drawn = { random: Math.random(), uuid: randomUUID(), int: randomInt(2 ** 47) }
  res.end(JSON.stringify({ version, pid, ppid, id, generation, title, loadedBy, forks, ...drawn }))
}`

/** The listener that the loss client asks. */
export const LOSS_LISTENER = `(await import('${new URL('./loss/index.js', import.meta.url).href}')).lossApp`

function appOf(version: number, load: string, listener: string): string {
  return `import { randomInt, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { worker } from '@mapache/core/worker'

const version = ${version}
const loadedBy = process.pid
/** Whether this process is a mold: only workers are forked. */
const isMold = () => process.pid === loadedBy
let forks = 0
worker.onFork(() => {
  forks += 1
})
${load}
const listener = ${listener}
export default () => listener
`
}

/** Source that does something in a mold, once it is one and a file is there. */
export function whenTold(file: string, what: string): string {
  return `setInterval(() => {
  if (isMold() && existsSync(${JSON.stringify(file)})) { ${what} }
}, 10)`
}

/** Writes the file that is waited for. */
export function tell(file: string, text = ''): void {
  writeFileSync(file, text)
}
