import path from 'node:path'
import type { Cluster, ClusterEvents } from '@mapache/core'
import { type FailureError, withoutInside } from './failure.js'
import { Keeper, type Strategy } from './keeper.js'
import { fileOf, type Loaded } from './loaded.js'
import { codeFrame, frameText } from './page/frame.js'
import { readMemory } from './terminal/memory.js'
import { openInBrowser } from './terminal/open.js'
import type { Terminal } from './terminal/terminal.js'
import { needsTransform } from './typescript.js'
import { realPath } from './watch/files.js'
import { type Change, Watcher } from './watch/watcher.js'

export interface SessionOptions {
  terminal: Terminal
  /** The app's folder and its entry. */
  root: string
  entry: string
  strategy: Strategy
  watch: readonly string[]
  poll: boolean
  /** What a standby process loads ahead of the dependencies. */
  ahead: readonly Loaded[]
  /**
   * Takes another loader from the next launch on, because Node.js cannot run a file by itself.
   * @returns what standby processes load ahead then
   * @throws MAPACHE_LOADER_MISSING when there is none
   */
  transform: (() => readonly Loaded[]) | undefined
}

type Event<Name extends keyof ClusterEvents> = ClusterEvents[Name][0]

/**
 * Dev mode, in the supervisor: a change reloads the app, old workers first, and what the app loads from node_modules is
 * kept loaded in a process that the next workers come from.
 */
export class Session {
  readonly #options: SessionOptions
  readonly #since = performance.now()
  readonly #keeper: Keeper
  readonly #watcher: Watcher
  #cluster: Cluster | undefined
  /** The newest generation that was launched, and what it has loaded. */
  #generation = 0
  #count = 0
  /** What led to the reload that runs. */
  #files: readonly string[] = []
  #transforms = false
  #isStarted = false
  /** Says after a while what a stop waits for. */
  #waiting: NodeJS.Timeout | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    const { root, entry, watch, poll, terminal, strategy, ahead } = options
    this.#keeper = new Keeper({ strategy, ahead, note: (text) => terminal.note(text) })
    this.#watcher = new Watcher({
      root,
      entry,
      watch,
      poll,
      onChange: (change) => this.#changed(change),
      onNote: (text) => terminal.note(text)
    })
  }

  start(cluster: Cluster): void {
    this.#cluster = cluster
    this.#keeper.cluster = cluster
    const { terminal } = this.#options
    terminal.on('reload', () => this.#reload([]))
    terminal.on('memory', () => void this.#memory(cluster))
    terminal.on('open', () => void this.#open(cluster))
    terminal.on('quit', () => this.#quit(cluster))
  }

  /** A worker has loaded files. */
  loaded(files: readonly Loaded[], generation: number): void {
    if (generation < this.#generation) return
    this.launched(generation)
    this.#count += files.length
    if (!this.#cluster?.addresses.length) this.#options.terminal.progress(this.#count)
    this.#watcher.loaded(files.map((file) => realPath(fileOf(file))))
    this.#keeper.add(files)
  }

  async listening({ addresses }: Event<'listening'>, cluster: Cluster): Promise<void> {
    const { canFork } = await cluster.status()
    const { terminal, root, entry } = this.#options
    this.#isStarted = true
    terminal.started({
      urls: addresses.map(urlOf),
      strategy: this.#keeper.begin(canFork),
      entry: path.relative(root, entry),
      generation: cluster.generation,
      duration: performance.now() - this.#since
    })
  }

  reloaded({ generation, duration }: Event<'reload:done'>): void {
    this.#watcher.broken = false
    // The first start is told by its own line, however often it was tried.
    if (this.#isStarted) this.#options.terminal.reloaded({ generation, duration, files: this.#files })
    // What happens later has another reason.
    this.#files = []
  }

  failed({ error: told, generation }: Event<'app:failed'>): void {
    this.#watcher.broken = true
    this.launched(generation)
    const { terminal, root, entry } = this.#options
    if (!this.#transforms && needsTransform(told, [entry, ...this.#files]) && this.#transform()) return
    const error = withoutInside(told as FailureError)
    const frame = codeFrame(error, root)
    const isNew = terminal.failed({ error, files: this.#files, ...(frame ? { frame: frameText(frame) } : {}) })
    // Whoever pressed a key wants an answer.
    if (!isNew && this.#files.length === 0) terminal.note('failed again, with the same error')
    if (isNew && !this.#isStarted) terminal.note('it is started again when a file is saved')
  }

  /** @returns whether another loader is there, with which the app is loaded again */
  #transform(): boolean {
    const { terminal, transform } = this.#options
    if (!transform) return false
    let ahead: readonly Loaded[]
    try {
      ahead = transform()
    } catch (error) {
      terminal.warn((error as Error).message)
      return false
    }
    this.#transforms = true
    const ready = this.#keeper.load(ahead)
    terminal.note('TypeScript by tsx from now on: Node.js cannot run all of it')
    void ready.then(() => this.#reload(this.#files))
    return true
  }

  async stopped(): Promise<void> {
    clearTimeout(this.#waiting)
    this.#keeper.stop()
    await this.#watcher.close()
    this.#options.terminal.close()
  }

  /** Gracefully, which takes as long as somebody is connected; the second time at once. */
  #quit(cluster: Cluster): void {
    void cluster.stop(this.#waiting ? 'now' : 'graceful')
    this.#waiting ??= setTimeout(
      () => this.#options.terminal.note('finishing what is open; once more to quit now'),
      QUIET
    )
  }

  /** A process of a generation is launched, which will tell what it loads: a file that changes from now on is a change. */
  launched(generation: number): void {
    if (generation <= this.#generation) return
    this.#generation = generation
    this.#watcher.reset()
    this.#watcher.loaded(this.#keeper.files)
  }

  #changed({ kind, files }: Change): void {
    if (kind === 'reload') return this.#reload(files)
    const { terminal } = this.#options
    terminal.note(`${files[0]} changed: dependencies are loaded anew`)
    this.#files = files
    void this.#keeper.renew().then(() => this.#reload(files))
  }

  #reload(files: readonly string[]): void {
    this.#files = files
    // Why it failed is told by an event of its own.
    this.#cluster?.reload({ oldFirst: true }).catch(() => {})
  }

  async #memory(cluster: Cluster): Promise<void> {
    const { pid, processes } = await cluster.status()
    const rows = processes.flatMap(({ role, generation, pid }) => {
      return pid === undefined ? [] : [{ role, pid, ...(generation > 0 ? { generation } : {}) }]
    })
    this.#options.terminal.memory(await readMemory([{ role: 'supervisor', pid }, ...rows]))
  }

  async #open(cluster: Cluster): Promise<void> {
    const [address] = cluster.addresses
    if (!address) return this.#options.terminal.note('it does not listen yet')
    await openInBrowser(urlOf(address)).catch((error) => this.#options.terminal.warn(String(error)))
  }
}

function urlOf(address: Cluster['addresses'][number]): string {
  if ('path' in address) return address.path
  const { port, family } = address
  const host = LOCAL.has(address.address) ? 'localhost' : family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${port}`
}

/** How long a stop may take without a word, ms. */
const QUIET = 500
const LOCAL: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '0.0.0.0', '::'])
