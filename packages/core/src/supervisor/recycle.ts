import type { ExitEvent, ProcessInfo } from '../cluster.js'
import { MapacheError } from '../errors.js'
import type { Supervisor } from './supervisor.js'

/**
 * Replaces one worker or service, replacement first.
 * @returns when it retires
 * @throws MAPACHE_PROCESS_UNKNOWN, MAPACHE_STOPPING; MAPACHE_BOOT_FAILED when `bootAttempts` replacements in a row failed:
 *   it serves on, and the next attempts follow as after any failure
 */
export async function recycle(supervisor: Supervisor, id: number): Promise<void> {
  const member = supervisor.roster.get(id)
  if (supervisor.stopping) throw stopping()
  if (!member || member.role === 'mold') {
    const what = member ? 'a mold, which only forks and is replaced with its generation' : 'not there (any more)'
    throw new MapacheError('MAPACHE_PROCESS_UNKNOWN', `no worker or service has the id ${id}: it is ${what}`)
  }
  if (member.state === 'retiring') return
  const { role, name, place } = member
  member.stale ??= { reason: 'recycle', urgent: false }
  const left = new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      supervisor.off(`${role}:retire`, retired).off(`${role}:exit`, exited).off('stop', stopped)
      settle()
    }
    const retired = (info: ProcessInfo) => {
      if (info.id === id) end(resolve)
    }
    const exited = (info: ExitEvent) => {
      if (info.id === id) return end(resolve)
      const isReplacement = info.name === name && info.place === place && info.failed
      if (!isReplacement || info.failures < supervisor.settings.bootAttempts) return
      const text = `${role} ${id} serves on: its replacement failed ${info.failures} times in a row`
      end(() => reject(new MapacheError('MAPACHE_BOOT_FAILED', text, { cause: info.error, phase: 'boot' })))
    }
    const stopped = () => end(() => reject(stopping()))
    supervisor.on(`${role}:retire`, retired).on(`${role}:exit`, exited).on('stop', stopped)
  })
  supervisor.apply({ type: 'tick' })
  return left
}

function stopping(): MapacheError {
  return new MapacheError('MAPACHE_STOPPING', 'the cluster is stopping')
}
