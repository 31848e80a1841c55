import { MapacheError } from '../errors.js'

/** Where a process is in its life. A spare is `ready` and held back; a mold made of a worker is `promoted`. */
export type State = 'launching' | 'ready' | 'serving' | 'retiring' | 'promoted' | 'exited'

/**
 * Moves a member to another state: the only writer of `state`.
 * @param now monotonic time in ms, kept as the time that the state was entered
 * @throws MAPACHE_ILLEGAL_TRANSITION when the table has no such move
 */
export function transition(member: { id: number; state: State; since: number }, to: State, now: number): void {
  if (!canMove(member.state, to)) {
    throw new MapacheError('MAPACHE_ILLEGAL_TRANSITION', `worker=${member.id} cannot go from ${member.state} to ${to}`)
  }
  member.state = to
  member.since = now
}

/** Whether the table has a move from one state to the other. */
export function canMove(from: State, to: State): boolean {
  return MOVES[from].includes(to)
}

export const MOVES: Readonly<Record<State, readonly State[]>> = {
  launching: ['ready', 'exited'],
  ready: ['serving', 'retiring', 'exited'],
  serving: ['retiring', 'exited'],
  retiring: ['promoted', 'exited'],
  promoted: ['retiring', 'exited'],
  exited: []
}
