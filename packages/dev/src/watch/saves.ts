import { ABSENT, contentOf, EMPTY, UNREAD } from './contents.js'

export interface SavesOptions<Tag> {
  /**
   * A file holds something else than before.
   * @param at when that began, by `performance.now()`
   * @param isBack whether there was no such file before
   */
  onChange(file: string, at: number, tag: Tag, isBack: boolean): void
  /** Whether a file that is gone is still waited for. */
  isMissed(file: string): boolean
}

interface Gone<Tag> {
  at: number
  tag: Tag
}

/**
 * Tells saves from other events: it remembers what the files held, so that a file that was only touched is no change.
 * A file that is gone or empty gets a moment to be there again, since many editors save like that; one that stays away
 * is looked for, since the folder that would tell of its return may be gone as well.
 */
export class Saves<Tag> {
  readonly #options: SavesOptions<Tag>
  readonly #prints = new Map<string, string>()
  /** The last piece of work on each file: they are done in order. */
  readonly #work = new Map<string, Promise<void>>()
  /** Files that are to be looked at and were not yet. */
  readonly #asked = new Set<string>()
  /** Files that are gone or empty, for a moment maybe. */
  readonly #held = new Map<string, { at: number; timer: NodeJS.Timeout; isOver: boolean }>()
  readonly #gone = new Map<string, Gone<Tag>>()
  readonly #gate = gate(AT_ONCE)
  #comparing = 0
  #search: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: SavesOptions<Tag>) {
    this.#options = options
  }

  /** Looks whether a file changed. @param at when the event was, by `performance.now()` */
  check(file: string, at: number, tag: Tag): void {
    if (this.#isClosed || this.#asked.has(file)) return
    this.#asked.add(file)
    this.#do(file, () => {
      this.#asked.delete(file)
      return this.#compare(file, at, tag)
    })
  }

  /**
   * Remembers what a file holds that was read by somebody else just now.
   * @param since if the file changed after this, in milliseconds since 1970, it is a change: it may have been read
   *   before. Infinity: it is none in any case.
   */
  remember(file: string, since: number, tag: Tag): void {
    this.#do(file, async () => {
      const { print, changedAt } = await this.#gate(() => contentOf(file))
      if (this.#isClosed || print === this.#prints.get(file)) return
      if (print === ABSENT && since !== Number.POSITIVE_INFINITY) {
        this.#prints.set(file, UNREAD)
        return this.#compare(file, performance.now(), tag)
      }
      this.#prints.set(file, print)
      if (print === ABSENT && this.#options.isMissed(file)) this.#miss(file, tag)
      // A time in the future is another machine's clock, of which nothing can be said.
      if (changedAt > since && changedAt < Date.now() + 1_000) {
        this.#options.onChange(file, performance.now(), tag, false)
      }
    })
  }

  /** Remembers that a file is there, without reading it: when it is deleted, that is a change. */
  notice(file: string): void {
    if (!this.#prints.has(file)) this.#prints.set(file, UNREAD)
  }

  /** Whether it is remembered what a file holds, or that it is there. */
  knows(file: string): boolean {
    return this.#prints.has(file)
  }

  /** Whether files are to be looked at now. */
  get isBusy(): boolean {
    return this.#asked.size > 0 || this.#comparing > 0
  }

  /** Waits until nothing is left to look at. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values())
  }

  close(): void {
    this.#isClosed = true
    for (const { timer } of this.#held.values()) clearTimeout(timer)
    this.#held.clear()
    clearTimeout(this.#search)
  }

  async #compare(file: string, at: number, tag: Tag): Promise<void> {
    this.#comparing += 1
    const { print } = await this.#gate(() => contentOf(file))
    this.#comparing -= 1
    if (this.#isClosed) return
    const before = this.#prints.get(file)
    const held = this.#held.get(file)
    const isNothing = print === ABSENT || print === EMPTY
    if (print === before || (before === undefined && print === ABSENT)) {
      this.#release(file)
    } else if (isNothing && !held) {
      const timer = setTimeout(() => this.#endHold(file, tag), MOMENT)
      this.#held.set(file, { at, timer, isOver: false })
    } else if (!isNothing || held?.isOver) {
      this.#release(file)
      this.#prints.set(file, print)
      if (print === ABSENT) this.#miss(file, tag)
      this.#options.onChange(file, held?.at ?? at, tag, before === ABSENT)
    }
  }

  #endHold(file: string, tag: Tag): void {
    const held = this.#held.get(file)
    if (!held) return
    held.isOver = true
    this.check(file, held.at, tag)
  }

  #release(file: string): void {
    clearTimeout(this.#held.get(file)?.timer)
    this.#held.delete(file)
  }

  #miss(file: string, tag: Tag): void {
    this.#gone.set(file, { at: performance.now(), tag })
    this.#search ??= setTimeout(() => this.#lookForGone(), SEARCH)
  }

  #lookForGone(): void {
    this.#search = undefined
    const now = performance.now()
    for (const [file, { at, tag }] of this.#gone) {
      const isBack = this.#prints.get(file) !== ABSENT
      // The app may take a while to tell that it is broken without the file.
      if (isBack || (now > at + PATIENCE && !this.#options.isMissed(file))) this.#gone.delete(file)
      else this.check(file, now, tag)
    }
    if (this.#gone.size > 0) this.#search = setTimeout(() => this.#lookForGone(), SEARCH)
  }

  #do(file: string, task: () => Promise<void>): void {
    const mine = (this.#work.get(file) ?? Promise.resolve()).then(task).finally(() => {
      if (this.#work.get(file) === mine) this.#work.delete(file)
    })
    this.#work.set(file, mine)
  }
}

/** Lets so many tasks run at once: descriptors are few. */
function gate(places: number) {
  let free = places
  const waiting: (() => void)[] = []
  return async <Result>(task: () => Promise<Result>): Promise<Result> => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}

/** Milliseconds that a file may be gone or empty while it is saved. */
const MOMENT = 100
/** Milliseconds between two looks for files that are gone. */
const SEARCH = 100
/** Milliseconds that a file is looked for in any case. */
const PATIENCE = 30_000
/** Files that are read at once. */
const AT_ONCE = 16
