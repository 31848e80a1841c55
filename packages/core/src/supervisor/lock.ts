import { createHash } from 'node:crypto'
import { linkSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { makePrivate } from './folder.js'
import { type Owner, readOr } from './lock-owner.js'

export { isDead, type Machine, type Owner, ownOwner, thisMachine } from './lock-owner.js'

/** The few things that a lock needs of a folder. Each is done at once or not at all. */
export interface LockFiles {
  /** Makes the folder, if it is not there. */
  open(): void
  write(name: string, text: string): void
  /** Gives a file a second name. `exists`: the name is taken; `missing`: the file or the folder is gone. */
  link(from: string, to: string): 'linked' | 'exists' | 'missing'
  read(name: string): string | undefined
  remove(name: string): void
  list(): string[]
  /** Removes the folder, if nothing is in it. */
  close(): void
}

/**
 * A lock of the whole machine that names its owner, and is taken over from one that has died.
 *
 * The lock is the file `head`. It is taken by link(2), which gives a finished file a name that must be free: so one of many
 * gets it, and nobody ever reads half an owner. It is free when `head` is gone.
 *
 * Who finds a dead owner must not remove `head` and make its own: another who found the same, and was slower, would then
 * remove the new one. Nothing is removed but by who holds the lock. The place behind a dead owner is a file of its own,
 * `after-TOKEN` with the token of that owner, and is taken by link(2), too: one of many gets it. If that one dies, the place
 * behind it is the next; who dies on the way to a place has changed nothing. So the owner is the last of a chain that begins
 * at `head`, and waits for nobody but the living.
 *
 * Who releases the lock removes `head` first, and then the rest of its chain. Somebody slow may have read the chain before
 * that, and take a place in it that is left or was freed by then. So whoever took a place other than `head` looks whether the
 * chain from `head` still leads to it, and gives the place back if not. If it does lead there, the lock is its own: tokens
 * do not come again, so that `head` is the one of before; only an owner removes it; and all owners ahead in the chain are dead.
 */
export class MachineLock {
  readonly #files: LockFiles
  readonly #own: Owner
  readonly #isDead: (owner: Owner) => boolean
  #chain: string[] = []

  constructor(files: LockFiles, own: Owner, isDead: (owner: Owner) => boolean) {
    this.#files = files
    this.#own = own
    this.#isDead = isDead
  }

  /**
   * Takes the lock, if nobody who lives holds it.
   * @returns who holds it; undefined when it is taken
   */
  take(): Owner | undefined {
    const prepared = PREPARED + this.#own.token
    for (;;) {
      this.#prepare(prepared)
      const result = this.#walk(prepared)
      if (result === 'again') continue
      if (result !== 'taken') return result
      this.#files.remove(prepared)
      this.#sweep()
      return undefined
    }
  }

  /** Frees the lock, or gives up waiting for it. May be called again, and at the end of the process. */
  release(): void {
    for (const name of this.#chain) this.#files.remove(name)
    this.#chain = []
    this.#files.remove(PREPARED + this.#own.token)
    this.#files.close()
  }

  #prepare(prepared: string): void {
    if (this.#files.read(prepared) !== undefined) return
    this.#files.open()
    this.#files.write(prepared, JSON.stringify(this.#own))
  }

  /** Goes along the chain, as far as its owners are dead, and takes the first free place. */
  #walk(prepared: string): 'taken' | 'again' | Owner {
    const seen = [HEAD]
    for (;;) {
      const name = seen.at(-1) as string
      const linked = this.#files.link(prepared, name)
      if (linked === 'missing') return 'again'
      if (linked === 'linked') {
        if (this.#leadsHere()) {
          this.#chain = seen
          return 'taken'
        }
        this.#files.remove(name)
        return 'again'
      }
      const owner = this.#read(name)
      if (!owner) return 'again'
      if (!this.#isGone(owner)) return owner
      seen.push(after(owner))
    }
  }

  /** Whether the chain from `head` leads to the own file. */
  #leadsHere(): boolean {
    for (let name = HEAD; ; ) {
      const owner = this.#read(name)
      if (!owner) return false
      if (owner.token === this.#own.token) return true
      name = after(owner)
    }
  }

  /** An empty file is what is left when the machine lost its power: nobody who wrote it lives. */
  #read(name: string): Owner | undefined {
    const text = this.#files.read(name)
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as Owner
    } catch {
      return { ...UNREADABLE, token: `unreadable-${name}` }
    }
  }

  /** Removes what others have left who died on the way to a place, or gave the lock back in part. */
  #sweep(): void {
    for (const name of this.#files.list()) {
      if (name === HEAD || this.#chain.includes(name)) continue
      const owner = this.#read(name)
      // One that cannot be read may be about to be written.
      if (owner && owner.pid !== UNREADABLE.pid && this.#isDead(owner)) this.#files.remove(name)
    }
  }

  #isGone(owner: Owner): boolean {
    return owner.pid === UNREADABLE.pid || this.#isDead(owner)
  }
}

/** The folder of the lock of a cluster's set-ups: by its name, for each user of this machine. */
export function lockFolder(name: string): string {
  const readable = encodeURIComponent(name)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 16)
  const short = readable.length > LONGEST_NAME ? `${readable.slice(0, LONGEST_NAME)}-${hash}` : readable
  return path.join(tmpdir(), `mapache-${userInfo().uid}`, 'locks', `${short}.setup`)
}

/** A folder of the file system, which only this user may enter. */
export function lockFiles(folder: string): LockFiles {
  const at = (name: string) => path.join(folder, name)
  const remove = (name: string) => rmSync(at(name), { force: true })
  return {
    open() {
      for (const one of [path.dirname(path.dirname(folder)), path.dirname(folder), folder]) makePrivate(one)
    },
    // Another may remove the empty folder in between: then the next link finds nothing, and it is made again.
    write: (name, text) => void attempt(() => writeFileSync(at(name), text, { mode: 0o600 }), 'ENOENT'),
    link(from, to) {
      const refused = attempt(() => linkSync(at(from), at(to)), 'EEXIST', 'ENOENT')
      return refused === undefined ? 'linked' : refused === 'EEXIST' ? 'exists' : 'missing'
    },
    read: (name) => readOr(at(name)),
    remove,
    list: () => {
      let names: string[] = []
      attempt(() => {
        names = readdirSync(folder)
      }, 'ENOENT')
      return names
    },
    close: () => void attempt(() => rmdirSync(folder), 'ENOENT', 'ENOTEMPTY', 'EEXIST')
  }
}

/** @returns the code of an error that may come, undefined when it went well */
function attempt(work: () => void, ...expected: string[]): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && expected.includes(code)) return code
    throw error
  }
}

function after(owner: Owner): string {
  return `after-${owner.token}`
}

const HEAD = 'head'
const PREPARED = 'new-'
const UNREADABLE: Owner = { token: 'unreadable', pid: 0, host: '', since: 0, what: '' }
const LONGEST_NAME = 100
