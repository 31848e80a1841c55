import type { ProcessInfo } from '@mapache/core'
import { plain } from './plain.js'

/** A process as Mapache's log names it: the words of one are found in the other. */
export function identity({
  role,
  name,
  id,
  generation,
  pid
}: Pick<ProcessInfo, 'role' | 'name' | 'id' | 'generation' | 'pid'>): string {
  const who = role === 'service' ? `service=${plain(name)}` : role === 'task' ? plain(name) : `${role}=${id}`
  return `${who} ${generationName(generation)}${pid === undefined ? '' : ` pid=${pid}`}`
}

/** Below 0 is the base: a mold that is of no generation. */
export function generationName(generation: number): string {
  return generation < 0 ? `base=${-generation}` : `gen=${generation}`
}

/** What a process is to be called in a table: a service and a task have a name of their own. */
export function roleName({ role, name }: Pick<ProcessInfo, 'role' | 'name'>): string {
  return role === 'service' || role === 'task' ? plain(name) : role
}

/** A worker that is ready and serves not is held back: a spare. */
export function stateName({ role, state }: Pick<ProcessInfo, 'role' | 'state'>): string {
  return role === 'worker' && state === 'ready' ? 'spare' : state
}
