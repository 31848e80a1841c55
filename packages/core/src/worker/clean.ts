import { closeSync, openSync, promises, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import type { OpenData } from '../channel/messages.js'
import { Origins } from './origins.js'

/**
 * Knows what a process holds that it did not hold when it was marked: what a fork of it would share, or lose. Sockets and
 * files show in /proc/self/fd, threads in /proc/self/task, children in .../children; timers show nowhere but to async
 * hooks, which also tell who opened what.
 */
export class Cleanliness {
  readonly #origins = new Origins()
  #descriptors: ReadonlyMap<string, string> = new Map()
  #threads = 0

  /** Takes what the process holds now for its own. Node's thread pool is started, which would show as threads later. */
  async mark(): Promise<void> {
    await startThreadPool()
    this.#descriptors = descriptors()
    this.#threads = threads().length
  }

  /** Notes from now on who opens what. It costs time, so it is for the loading of the app only. */
  watch(): void {
    this.#origins.watch()
  }

  unwatch(): void {
    this.#origins.unwatch()
  }

  /** @returns what a fork must not share */
  async open(): Promise<OpenData[]> {
    await startThreadPool()
    return [...this.#openDescriptors(), ...this.#newThreads(), ...this.#children()]
  }

  /** @returns the timers that a fork would have, too */
  timers(): OpenData[] {
    return this.#origins.timers()
  }

  #openDescriptors(): OpenData[] {
    const open: OpenData[] = []
    for (const [fd, target] of descriptors()) {
      if (this.#descriptors.get(fd) === target) continue
      const what = whatIs(fd, target)
      if (what) open.push(withOrigin(what, this.#origins.ofDescriptor(Number(fd))))
    }
    return open
  }

  #newThreads(): OpenData[] {
    const names = threads()
    const more = names.length - this.#threads
    if (more <= 0) return []
    const what = `${more} ${more === 1 ? 'thread' : 'threads'} more than Node's own`
    return [withOrigin(what, this.#origins.ofThread())]
  }

  #children(): OpenData[] {
    const pids = readdirSync('/proc/self/task').flatMap((task) => {
      return readText(`/proc/self/task/${task}/children`).split(' ').filter(Boolean)
    })
    return pids.map((pid) => {
      const name = readText(`/proc/${pid}/comm`).trim()
      return withOrigin(`a child process (${name || 'unknown'}, pid ${pid})`, this.#origins.ofChild(Number(pid)))
    })
  }
}

function withOrigin(what: string, by: string | undefined): OpenData {
  return by === undefined ? { what } : { what, by }
}

/** Files that are read or appended to, devices and Node's own signalling may be shared; what is talked through may not. */
function whatIs(fd: string, target: string): string | undefined {
  if (target.startsWith('socket:')) return `a socket (descriptor ${fd})`
  if (target.startsWith('pipe:')) return `a pipe (descriptor ${fd})`
  if (target === 'anon_inode:[io_uring]') return `an io_uring (descriptor ${fd})`
  if (!target.startsWith('/') || target.startsWith('/dev/') || target.startsWith('/memfd:')) return undefined
  const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(readText(`/proc/self/fdinfo/${fd}`))?.[1] ?? '0', 8)
  const readsAndWrites = (flags & 3) === O_RDWR && (flags & O_APPEND) === 0
  return readsAndWrites || isSqlite(target) ? `the file ${target}, open for reading and writing` : undefined
}

function isSqlite(file: string): boolean {
  try {
    const fd = openSync(file, 'r')
    try {
      const start = Buffer.alloc(SQLITE.length)
      readSync(fd, start, 0, start.length, 0)
      return start.toString('latin1') === SQLITE
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}

function descriptors(): Map<string, string> {
  const found = new Map<string, string>()
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      found.set(fd, readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      // The descriptor of this very listing.
    }
  }
  return found
}

function threads(): string[] {
  return readdirSync('/proc/self/task')
}

/** libuv starts all threads of its pool with the first work for it. */
async function startThreadPool(): Promise<void> {
  await promises.stat('/')
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const O_RDWR = 2
const O_APPEND = 0o2000
const SQLITE = 'SQLite format 3\0'
