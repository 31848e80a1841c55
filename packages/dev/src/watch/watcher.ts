import path from 'node:path'
import { Burst } from './burst.js'
import { classify, isBelow, isCovered, isInModules, type Known, LOCKFILES, MARKERS, SOURCES } from './changes.js'
import { COARSE } from './contents.js'
import { changedAt, filesIn, realPath } from './files.js'
import { chokidarWatch, Folders, type FoldersOptions } from './folders.js'
import { compileGlobs } from './globs.js'
import { projectFolders } from './projects.js'
import { Saves } from './saves.js'

/** Files that changed together, and what that means. */
export interface Change {
  kind: 'reload' | 'dependencies'
  /** Relative to the root, first changed first, without doubles. */
  files: string[]
}

export interface WatchOptions {
  /** The app's folder. */
  root: string
  /** The app's entry, absolute or relative to the root. It counts as loaded always. */
  entry: string
  /** Globs of files that count as well, relative to the root; a leading `!` takes files out again. */
  watch?: readonly string[]
  /** Look at the files again and again instead of being told by the system. Default false. */
  poll?: boolean
  onChange(change: Change): void
  /** Something that whoever reads the terminal should know. */
  onNote(text: string): void
}

/**
 * Tells when the app's code or its dependencies changed. Nothing that happens to the files makes it throw.
 */
export class Watcher {
  /** Whether the app does not run. Then any source file may be the one that mends it. */
  broken = false
  /** All is watched. */
  readonly ready: Promise<void>
  readonly #root: string
  readonly #entry: string
  readonly #known: Omit<Known, 'broken'> & { loaded: Set<string>; outside: Set<string> }
  readonly #bursts: Record<Change['kind'], Burst>
  readonly #saves: Saves<Change['kind']>
  readonly #folders: Folders
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Folders of dependencies that are watched. */
  readonly #dependencies = new Set<string>()
  /** What changed after this may have been read by the app before. In milliseconds since 1970. */
  #launchedAt = now()
  /** The folders that are looked into at the start. */
  readonly #noticing: Promise<void>[] = []
  #firedAt: number | undefined
  readonly #startedAt = this.#launchedAt
  #isClosed = false

  /**
   * Begins to watch.
   * @param options what to watch, and whom to tell
   * @param watch chokidar's, or a test's own
   */
  constructor(options: WatchOptions, watch: FoldersOptions['watch'] = chokidarWatch) {
    const root = realPath(path.resolve(options.root))
    const globs = compileGlobs(options.watch ?? [], root)
    const projects = projectFolders(root)
    this.#root = root
    this.#entry = realPath(path.resolve(root, options.entry))
    this.#known = { root, globs, loaded: new Set(), outside: new Set(), projects: new Set(projects) }
    this.#bursts = {
      reload: new Burst({ isBusy: () => this.#saves.isBusy, fire: (files) => this.#fire('reload', files, options) }),
      dependencies: new Burst({ ...INSTALL, fire: (files) => this.#fire('dependencies', files, options) })
    }
    this.#saves = new Saves({
      onChange: (file, at, kind, isBack) => {
        this.#bursts[kind].add(file, at)
        if (isBack) this.#folders.examine(path.dirname(file))
      },
      isMissed: (file) => this.broken || this.#known.loaded.has(file)
    })
    this.#folders = new Folders(
      {
        root,
        poll: options.poll ?? false,
        watch,
        isCovered: (folder) => isCovered(folder, root, globs),
        canMatter: (file) => this.#canMatter(file),
        onEvent: (file, isRenamed) => this.#event(file, isRenamed),
        onFolder: (folder, since) => this.#look(folder, since),
        onRestart: () => this.#checkBelow(path.parse(root).root),
        onNote: options.onNote
      },
      projects.flatMap((folder) => [folder, path.join(folder, 'node_modules')])
    )
    for (const file of projects.flatMap(manifests)) this.#saves.remember(file, Number.POSITIVE_INFINITY, 'dependencies')
    this.#load(this.#entry, Number.POSITIVE_INFINITY)
    this.ready = this.#begin()
  }

  /**
   * Adds files that the app loaded. One that changed while the app booted is a change: the app may have read it before.
   * @param files their real paths
   */
  loaded(files: Iterable<string>): void {
    if (this.#isClosed) return
    // What was loaded later than at boot was read a moment ago; the report takes a while, but not for ever.
    const since = Math.max(this.#launchedAt, Date.now() - REPORT)
    for (const file of files) this.#load(file, since)
  }

  /** Forgets what was loaded. To be called when a new generation is launched, ahead of what it reports. */
  reset(): void {
    // It was launched for the last change, and has read nothing earlier than that.
    this.#launchedAt = this.#firedAt ?? now()
    this.#firedAt = undefined
    this.#known.loaded.clear()
    this.#known.loaded.add(this.#entry)
  }

  /** Waits until all that was told of so far has been looked at. What changed is told of a moment later. */
  async idle(): Promise<void> {
    await this.#folders.ready()
    await this.#saves.idle()
  }

  /** Stops watching. Nothing is told of after this. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const burst of Object.values(this.#bursts)) burst.close()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#saves.close()
    await this.#folders.close()
    await this.#saves.idle()
  }

  async #begin(): Promise<void> {
    await this.#folders.ready()
    await Promise.all(this.#noticing)
    await this.#saves.idle()
  }

  #load(file: string, since: number): void {
    const { loaded, outside } = this.#known
    if (loaded.has(file)) return
    loaded.add(file)
    const folder = path.dirname(file)
    const isDependency = isInModules(file, this.#root)
    if (!isDependency) {
      this.#saves.remember(file, since, 'reload')
      if (!isBelow(file, this.#root)) outside.add(folder)
    }
    if (isCovered(folder, this.#root, this.#known.globs)) return
    // Package managers tell of their changes by other files: these are for who edits a dependency by hand.
    if (isDependency && this.#dependencies.size >= MOST_DEPENDENCIES) return
    if (isDependency) this.#dependencies.add(folder)
    this.#folders.add(folder, Math.min(since, Date.now()))
  }

  #event(file: string, isRenamed: boolean): void {
    const meaning = this.#classify(file)
    if (meaning !== 'ignore') this.#saves.check(file, performance.now(), meaning)
    else if (isRenamed) this.#checkBelow(file)
  }

  #classify(file: string) {
    return classify(file, { ...this.#known, broken: this.broken })
  }

  /** A folder that came or went takes its files along, without an event for each. */
  #checkBelow(folder: string): void {
    for (const file of this.#known.loaded) {
      if (isBelow(file, folder) && !isInModules(file, this.#root)) this.#saves.check(file, performance.now(), 'reload')
    }
  }

  /** Looks at the files of a folder that nobody told of so far. */
  #look(folder: string, since: number): void {
    const lookedAt = Math.max(this.#startedAt, Date.now() - COARSE)
    if (since !== Number.POSITIVE_INFINITY) void this.#lookAt(folder, since)
    else if (this.#known.globs.bases.length > 0) this.#noticing.push(this.#noticeIn(folder))
    // Between this look and the folder's watch more may happen.
    for (const delay of AGAIN) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        void this.#lookAt(folder, lookedAt)
      }, delay)
      this.#timers.add(timer)
    }
  }

  async #lookAt(folder: string, since: number): Promise<void> {
    for (const file of await filesIn(folder)) {
      if (this.#classify(file) === 'ignore') continue
      // The time of a save may lag behind. Of a file that is known of, either what it held is known, or that it was older.
      const from = this.#saves.knows(file) ? since - COARSE : since
      if ((await changedAt(file)) > from) this.#event(file, false)
    }
  }

  async #noticeIn(folder: string): Promise<void> {
    for (const file of await filesIn(folder)) {
      const meaning = this.#classify(file)
      if (meaning === 'ignore') continue
      // Its next change may have the very time of this one: only what it holds tells them apart.
      if ((await changedAt(file)) > this.#startedAt - COARSE) this.#saves.remember(file, this.#startedAt, meaning)
      else this.#saves.notice(file)
    }
  }

  #canMatter(file: string): boolean {
    return SOURCES.has(path.extname(file)) || MARKERS.has(path.basename(file)) || this.#classify(file) !== 'ignore'
  }

  #fire(kind: Change['kind'], files: string[], { onChange }: WatchOptions): void {
    if (kind === 'reload') this.#firedAt = Date.now() - COARSE
    onChange({ kind, files: files.map((file) => path.relative(this.#root, file)) })
  }
}

function manifests(folder: string): string[] {
  const markers = [...MARKERS].map((name) => path.join('node_modules', name))
  return [...LOCKFILES, 'package.json', ...markers].map((name) => path.join(folder, name))
}

/** The clock counts whole milliseconds, a file's time parts of them. */
function now(): number {
  return Date.now() + 1
}

/** A package manager writes for seconds: gathered longer, since nobody waits for it. */
const INSTALL = { quiet: 100, most: 2_000 }
/** Milliseconds between reading a file and the report of it, at the most. */
const REPORT = 5_000
/** Milliseconds after which a folder is looked at again: a watch is not yet one when chokidar says so, nor is a poll. */
const AGAIN = [100, 1_000]
/** Folders of dependencies that are watched at the most. */
const MOST_DEPENDENCIES = 500
