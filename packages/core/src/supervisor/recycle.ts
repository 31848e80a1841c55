import type { Member } from '../cluster/roster.js'
import { type Deferred, defer } from '../deferred.js'
import { type ErrorData, errorFromData, MapacheError } from '../errors.js'
import type { Supervisor } from './supervisor.js'

/**
 * Replaces one worker or service, as a reload would.
 * @returns when it retires
 * @throws MAPACHE_PROCESS_UNKNOWN, MAPACHE_STOPPING; MAPACHE_BOOT_FAILED when `bootAttempts` replacements in a row failed:
 *   it serves on, and the next attempts follow as after any failure
 */
export async function recycle(supervisor: Supervisor, id: number): Promise<void> {
  const member = supervisor.roster.get(id)
  if (supervisor.stopping) throw stopping()
  if (!member || member.role === 'mold' || member.role === 'task') {
    const what = member ? NOT_REPLACED[member.role] : 'not there (any more)'
    throw new MapacheError('MAPACHE_PROCESS_UNKNOWN', `no worker or service has the id ${id}: it is ${what}`)
  }
  if (member.state === 'retiring') return
  replaceFor(member, 'recycle')
  const left = supervisor.recycles.wait(member)
  supervisor.apply({ type: 'tick' })
  return left
}

/** Marks a process to be replaced, for good: one that is only unhealthy stays if it is well again. */
export function replaceFor(member: Member, reason: 'recycle' | 'signal'): void {
  if (!member.stale || member.stale.reason === 'unhealthy') member.stale = { reason, urgent: false }
}

const NOT_REPLACED: Partial<Record<Member['role'], string>> = {
  mold: 'a mold, which only forks and is replaced with its generation',
  task: 'a set-up or a teardown, which runs once'
}

/** The processes that are to be recycled, and who waits for it. */
export class Recycles {
  readonly #waiting = new Map<number, { member: Member; left: Deferred<void> }>()

  wait(member: Member): Promise<void> {
    const known = this.#waiting.get(member.id) ?? { member, left: defer<void>() }
    this.#waiting.set(member.id, known)
    return known.left.promise
  }

  /** The process retires, or is gone. */
  left(id: number): void {
    this.#waiting.get(id)?.left.resolve()
    this.#waiting.delete(id)
  }

  /** A process has ended: one that is waited for, or maybe the replacement of one. */
  exited(
    { id, role, name, place }: Member,
    failed: boolean,
    failures: number,
    attempts: number,
    error: ErrorData
  ): void {
    this.left(id)
    if (!failed || failures < attempts) return
    for (const { member, left } of this.#waiting.values()) {
      if (member.role !== role || member.name !== name || member.place !== place) continue
      const text = `${role} ${member.id} serves on: its replacement failed ${failures} times in a row`
      left.reject(new MapacheError('MAPACHE_BOOT_FAILED', text, { cause: errorFromData(error), phase: 'boot' }))
      this.#waiting.delete(member.id)
    }
  }

  stop(): void {
    for (const { left } of this.#waiting.values()) left.reject(stopping())
    this.#waiting.clear()
  }
}

function stopping(): MapacheError {
  return new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
}
