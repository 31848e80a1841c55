import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { put } from './deploy.js'
import { type Answer, CLI, Fixture, type FixtureOptions, get, ROOT, type Test } from './fixture.js'

export type Files = Readonly<Record<string, string>>

export interface DevOptions extends FixtureOptions {
  /** The app's files by their names; default: `server.mjs`, which tells of its process and its version. */
  files?: Files
  /** What the app has in node_modules of its own: names of packages of this workspace. */
  links?: readonly string[]
  /** Default: the first of the files. */
  entry?: string
  /** Arguments of the command ahead of the entry. */
  args?: readonly string[]
  /** A folder that is there already, in place of one made of `files`. */
  folder?: AppFolder
}

/** The files of an app that is developed, in a folder of their own. */
export class AppFolder {
  /** The real path. */
  readonly root: string

  constructor(t: Test, files: Files, links: readonly string[] = []) {
    this.root = realpathSync(mkdtempSync(path.join(tmpdir(), 'mp-dev-')))
    for (const [file, text] of Object.entries(files)) this.write(file, text)
    for (const name of links) this.link(path.join('node_modules', name), PACKAGES[name] ?? installed(name))
    t.teardown(() => rmSync(this.root, { recursive: true, force: true, maxRetries: 5 }))
  }

  path(file: string): string {
    return path.join(this.root, file)
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8')
  }

  /** Writes a file in place, as most editors do. */
  write(file: string, text: string): void {
    mkdirSync(path.dirname(this.path(file)), { recursive: true })
    writeFileSync(this.path(file), text)
  }

  /** Writes a file beside and renames it, as other editors do. */
  replace(file: string, text: string): void {
    put(this.path(file), text)
  }

  remove(file: string): void {
    rmSync(this.path(file), { recursive: true })
  }

  link(file: string, target: string): void {
    mkdirSync(path.dirname(this.path(file)), { recursive: true })
    symlinkSync(target, this.path(file))
  }
}

/** `mapache dev` with an app that a test edits. */
export class DevApp extends Fixture {
  readonly files: AppFolder
  readonly entry: string
  /** How much had been printed before the last edit. */
  from = 0

  constructor(t: Test, options: DevOptions = {}) {
    const { files = { 'server.mjs': tells(1) }, links, args = [], folder, env, ...rest } = options
    const own = folder ?? new AppFolder(t, files, links)
    const entry = options.entry ?? (Object.keys(files)[0] as string)
    super(t, CLI, {
      cwd: own.root,
      ...rest,
      args: ['dev', ...args, entry],
      env: { NO_COLOR: '1', PWD: own.root, ...env }
    })
    this.files = own
    this.entry = entry
  }

  /** Saves a file. What is waited for from now on is what is printed after it. */
  edit(file: string, text: string): void {
    this.begin()
    this.files.write(file, text)
  }

  /** What is waited for from now on is what is printed after this. */
  begin(): void {
    this.from = this.output.length
  }

  /** Waits for the line that says that it serves. @returns the strategy it tells */
  async started(): Promise<string> {
    const [, strategy = ''] = await this.printed(/^\S+ · (\w+) · \S+ · gen \d+ in /m)
    return strategy
  }

  /** Waits for the line of a reload since the last edit. @returns what it says has changed */
  async reloaded(): Promise<string> {
    const [, changed = ''] = await this.printed(/^reloaded in [\d.]+ m?s · (.*) · gen \d+$/m, this.from)
    return changed
  }

  /** Waits for something printed since the last edit. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return this.printed(pattern, this.from)
  }

  /** Saves a file and waits until that has been reloaded. */
  async change(file: string, text: string): Promise<string> {
    this.edit(file, text)
    return this.reloaded()
  }

  override async port(): Promise<number> {
    const [, port] = await this.printed(/http:\/\/localhost:(\d+)/)
    return Number(port)
  }

  /** A GET request; on a connection of its own, if no agent is given. */
  async get(at = '/', options: http.RequestOptions = {}): Promise<Answer> {
    return get({ port: await this.port(), host: '127.0.0.1', ...options }, at)
  }

  async body(at = '/', options: http.RequestOptions = {}): Promise<string> {
    return (await this.get(at, options)).body
  }

  /** What the worker tells of itself: see `tells`. */
  async ask(options: http.RequestOptions = {}): Promise<Told> {
    return JSON.parse(await this.body('/', options)) as Told
  }

  /** How many lines match. */
  count(pattern: RegExp): number {
    return this.output.split('\n').filter((line) => pattern.test(line)).length
  }

  get reloads(): number {
    return this.count(/^reloaded in /)
  }

  /** The processes that run, by their pids: what `ps` shows. */
  titles(): Map<number, string> {
    return new Map(this.processes().map((pid) => [pid, titleOf(pid)]))
  }

  /**
   * Waits until the process is ready that has the dependencies loaded, which the log tells. What is forked from it ahead of
   * time is not meant.
   * @returns its pid
   */
  async ready(from = this.from): Promise<number> {
    const how = / · fork · /.test(this.output) ? 'workers are forked' : 'the next worker comes'
    const [, pid] = await this.printed(new RegExp(`mold=\\d+ base=\\d+ pid=(\\d+) ready; ${how}`), from)
    return Number(pid)
  }
}

/** What an app says of its process. */
export interface Told {
  version: number
  pid: number
  ppid: number
  title: string
  // biome-ignore lint/suspicious/noExplicitAny: what the test's own code puts there
  more: any
}

/** An app's entry that tells of its process. @param more imports, and what they give as `more` */
export function tells(version: number | string, imports = '', more = '{}'): string {
  return `import http from 'node:http'
${imports}
const { pid, ppid, title } = process
http.createServer((req, res) => {
  res.end(JSON.stringify({ version: ${version}, pid, ppid: process.ppid, title: process.title, more: ${more} }))
}).listen(Number(process.env.PORT ?? 0), '127.0.0.1')
`
}

/** An agent that keeps one connection. */
export function keptConnection(t: Test): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  return agent
}

/** A package for node_modules: `index.js` as ESM or CommonJS. */
export function dependency(name: string, code: string, type: 'module' | 'commonjs' = 'module'): Files {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', type, exports: './index.js' }),
    [`node_modules/${name}/index.js`]: code
  }
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

function installed(name: string): string {
  return realpathSync(path.join(ROOT, 'node_modules', name))
}

const PACKAGES: Partial<Record<string, string>> = {
  '@mapache/core': path.join(ROOT, 'packages/core'),
  '@mapache/fastify': path.join(ROOT, 'packages/fastify')
}
