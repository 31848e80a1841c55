import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAlive } from './folder.js'

/** Who holds a lock, as the lock's file names it. */
export interface Owner {
  /** Random: no two takings of a lock have the same. */
  token: string
  pid: number
  /** When the process started, in the system's own ticks, where it tells: pids are given again. */
  started?: string
  /** The boot of the machine that it runs in, where the system tells. */
  boot?: string
  host: string
  /** Milliseconds since 1970. */
  since: number
  /** What it does, for others to read. */
  what: string
}

/** What of this machine tells whether an owner is dead. */
export interface Machine {
  host: string
  boot?: string
  /** When a process started; undefined when there is none of this pid, empty where the system does not tell. */
  startOf(pid: number): string | undefined
}

/** Whether the owner of a lock is dead for certain. One of another container or machine counts as alive. */
export function isDead(owner: Owner, { host, boot, startOf }: Machine): boolean {
  if (boot !== undefined && owner.boot !== undefined) {
    // What has the same temp folder and another name may be another machine, whose pids are not known here.
    if (owner.host !== host) return false
    if (owner.boot !== boot) return true
  }
  const started = startOf(owner.pid)
  if (started === undefined) return true
  return started !== '' && owner.started !== undefined && owner.started !== started
}

/** This process as the owner of a lock. @param what it does */
export function ownOwner(token: string, what: string, machine: Machine = thisMachine()): Owner {
  const { host, boot } = machine
  const started = machine.startOf(process.pid)
  const own = { token, pid: process.pid, host, since: Date.now(), what }
  return { ...own, ...(started ? { started } : {}), ...(boot === undefined ? {} : { boot }) }
}

export function thisMachine(): Machine {
  const boot = readOr('/proc/sys/kernel/random/boot_id')?.trim()
  return { host: hostname(), ...(boot ? { boot } : {}), startOf }
}

function startOf(pid: number): string | undefined {
  // One that has ended and waits for its parent to notice is dead, too.
  if (!isAlive(pid)) return undefined
  const stat = readOr(`/proc/${pid}/stat`)
  // Behind the name, which may hold anything. The 22nd field of all.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** The text of a file; undefined when there is none, or when the process is gone that it is of. */
export function readOr(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
