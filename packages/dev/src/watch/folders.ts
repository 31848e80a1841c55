import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { type ChokidarOptions, watch as chokidarWatch, type FSWatcher } from 'chokidar'
import { COARSE } from './contents.js'
import { identity, identityOf } from './identity.js'
import { isLimit, limitText } from './limits.js'

export { chokidarWatch, type FSWatcher }

export interface FoldersOptions {
  /** Watched with all that is covered below it. It need not exist. */
  root: string
  poll: boolean
  watch(paths: string[], options: ChokidarOptions): FSWatcher
  /** Whether a folder below the root is watched. */
  isCovered(folder: string): boolean
  /** Whether a file can ever matter: only such ones are polled. */
  canMatter(file: string): boolean
  /** Something happened to a file or folder. @param isRenamed whether it came, went or was replaced */
  onEvent(file: string, isRenamed: boolean): void
  /**
   * A folder is watched from now on.
   * @param since nobody told of what changed in it after this, in milliseconds since 1970. Infinity: from the start on
   */
  onFolder(folder: string, since: number): void
  /** Watching began anew: in between nobody told of changes. */
  onRestart(): void
  onNote(text: string): void
}

/**
 * Watches folders by chokidar. Only folders, and their files' names are read from the system's own events: that takes a
 * watch a folder instead of one a file, and chokidar's events leave out what happens to a file twice within 50 ms, which
 * is a half saved file.
 */
export class Folders {
  readonly #options: FoldersOptions
  /** Folders that are watched without what is below them. */
  readonly #single = new Set<string>()
  /** When each of them was asked for that is not watched yet. */
  readonly #addedAt = new Map<string, number>()
  /** What each watched folder was when it was first seen: a new folder of the same name has no watch. */
  readonly #identities = new Map<string, string>()
  readonly #noted = new Set<string>()
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #watcher: FSWatcher | undefined
  #poll: boolean
  #isReady = false
  #isClosed = false
  #since = Number.POSITIVE_INFINITY
  #openedAt = Date.now()
  /** Openings one after the other. */
  #opening: Promise<void>
  #stopWaiting: () => void = () => {}

  constructor(options: FoldersOptions, single: Iterable<string>) {
    this.#options = options
    this.#poll = options.poll
    for (const folder of single) this.#single.add(folder)
    this.#opening = this.#open(Number.POSITIVE_INFINITY)
  }

  /** Waits until all folders are watched. */
  async ready(): Promise<void> {
    let opening: Promise<void> | undefined
    while (opening !== this.#opening) {
      opening = this.#opening
      await opening
    }
  }

  /**
   * Watches one more folder, without what is below it. It need not exist yet.
   * @param since what changed in it after this is told of, in milliseconds since 1970
   */
  add(folder: string, since: number): void {
    if (this.#single.has(folder)) return
    this.#single.add(folder)
    this.#addedAt.set(folder, since)
    void this.#compare(folder)
  }

  /** Looks soon whether a folder is still the one that is watched. */
  examine(folder: string): void {
    const isKnown = this.#identities.has(folder) || this.#single.has(folder) || folder === this.#options.root
    if (!isKnown || this.#isClosed) return
    // Chokidar itself notices some cases, and is let to.
    this.#later(folder, EXAMINE, () => void this.#compare(folder))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#stopWaiting()
    await this.#opening
    await this.#watcher?.close()
  }

  #later(file: string, delay: number, task: () => void): void {
    clearTimeout(this.#timers.get(file))
    const timer = setTimeout(() => {
      this.#timers.delete(file)
      task()
    }, delay)
    this.#timers.set(file, timer)
  }

  #reopen(since: number): void {
    if (this.#isClosed) return
    this.#stopWaiting()
    this.#opening = this.#opening.then(() => this.#open(since))
  }

  async #open(since: number): Promise<void> {
    await this.#watcher?.close()
    this.#watcher = undefined
    this.#identities.clear()
    this.#isReady = false
    const isFirst = since === Number.POSITIVE_INFINITY
    const { root } = this.#options
    const folders = [...new Set([...this.#single, root])]
    const identities = await Promise.all(folders.map(identityOf))
    const found = folders.filter((_, index) => identities[index] !== undefined)
    if (this.#isClosed) return
    if (!found.includes(root)) this.examine(root)
    this.#since = since
    this.#openedAt = Date.now()
    // Without any folder chokidar never gets ready.
    if (found.length > 0) {
      const watcher = this.#options.watch(found, this.#chokidarOptions())
      this.#watcher = watcher
      await new Promise<void>((resolve) => {
        this.#stopWaiting = resolve
        this.#listen(watcher, resolve)
      })
    }
    if (this.#isClosed) return
    this.#isReady = true
    if (!isFirst) this.#options.onRestart()
  }

  #chokidarOptions(): ChokidarOptions {
    const { root, isCovered, canMatter } = this.#options
    const ignored = (file: string, stats?: Stats) => {
      if (!stats) return false
      if (stats.isFile()) return !this.#poll || !canMatter(path.normalize(file))
      // A link's target is watched by its real path, if it was loaded.
      if (!stats.isDirectory()) return true
      const folder = path.normalize(file)
      return folder !== root && !this.#single.has(folder) && !isCovered(folder)
    }
    return {
      ignored,
      atomic: false,
      followSymlinks: false,
      ignorePermissionErrors: true,
      usePolling: this.#poll,
      interval: INTERVAL,
      binaryInterval: INTERVAL
    }
  }

  #listen(watcher: FSWatcher, onReady: () => void): void {
    const { onEvent, onFolder } = this.#options
    const isCurrent = () => watcher === this.#watcher && !this.#isClosed
    watcher.on('ready', onReady)
    watcher.on('error', (error) => isCurrent() && this.#fail(error as NodeJS.ErrnoException))
    watcher.on('addDir', (folder, stats) => {
      if (!isCurrent()) return
      if (stats) this.#identities.set(folder, identity(stats))
      const addedAt = this.#addedAt.get(folder)
      this.#addedAt.delete(folder)
      // A folder that is new has only new files.
      onFolder(folder, this.#isReady ? (addedAt ?? 0) : this.#since)
    })
    watcher.on('unlinkDir', (folder) => {
      if (!isCurrent()) return
      onEvent(folder, true)
      this.examine(folder)
    })
    if (this.#poll) {
      watcher.on('all', (event, file) => {
        if (!isCurrent() || event.endsWith('Dir')) return
        if (this.#isReady) onEvent(file, event !== 'change')
        // A poll that has just begun does not know yet with what to compare.
        if (event === 'add') this.#later(file, 2 * INTERVAL, () => void this.#lookAgain(file))
      })
      return
    }
    watcher.on('raw', (event, name: string | null, details) => {
      if (!isCurrent()) return
      const { watchedPath } = details as { watchedPath: string }
      const isRenamed = event === 'rename'
      if (name) {
        const file = path.join(watchedPath, name)
        onEvent(file, isRenamed)
        if (isRenamed) this.examine(file)
      }
      // A folder tells of its own end under its own name.
      if (!name || (isRenamed && name === path.basename(watchedPath))) {
        onEvent(watchedPath, true)
        this.examine(watchedPath)
      }
    })
  }

  /** Tells of a file that changed since watching began. */
  async #lookAgain(file: string): Promise<void> {
    const stats = await stat(file).catch(() => undefined)
    if (!this.#isClosed && stats && stats.ctimeMs > this.#openedAt) this.#options.onEvent(file, false)
  }

  async #compare(folder: string): Promise<void> {
    // While it is opened all are looked at anyway.
    await this.ready()
    const now = await identityOf(folder)
    if (this.#isClosed) return
    const before = this.#identities.get(folder)
    if (now === undefined) {
      this.#addedAt.delete(folder)
      // Nobody would tell that the root is back.
      if (folder === this.#options.root) this.examine(folder)
    } else if (before === undefined && this.#watcher && folder !== this.#options.root) {
      this.#identities.set(folder, now)
      this.#watcher.add(folder)
    } else if (before !== now) {
      this.#reopen(Date.now() - BLIND)
    }
  }

  #fail(error: NodeJS.ErrnoException): void {
    const isReached = isLimit(error)
    if (isReached && this.#poll) return
    const text = isReached ? limitText(error) : `a folder cannot be watched: ${error.message}`
    if (!this.#noted.has(text)) this.#options.onNote(text)
    this.#noted.add(text)
    if (!isReached) return
    this.#poll = true
    this.#reopen(this.#openedAt - COARSE)
  }
}

/** Milliseconds between two looks where the system does not tell of changes. */
const INTERVAL = 100
/** Milliseconds after which a folder is compared with the one that was watched. */
const EXAMINE = 50
/** Milliseconds that a folder may have been without a watch before that was noticed, at the most. */
const BLIND = 1_000
