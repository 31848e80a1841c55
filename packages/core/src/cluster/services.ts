import type { Slot } from './desired.js'
import type { Member } from './roster.js'

/**
 * How many more of a slot's members may begin their work. Of services that run alone those count as well that have not
 * ended yet, of whichever generation they are.
 * @param own the slot's members
 * @param all the roster
 */
export function roomToServe(slot: Slot, own: readonly Member[], all: readonly Member[]): number {
  const members = slot.alone ? all.filter((member) => isOf(member, slot)) : own
  return slot.count - members.filter(isAtWork).length
}

/**
 * Whether a service that is to go has its replacement: as many as its slot counts serve without it, or, where they run
 * alone, are ready to. A slot that is gone has none.
 * @param others who stays, of whichever role
 */
export function isReplaced(member: Member, others: readonly Member[], slots: readonly Slot[]): boolean {
  const slot = slots.find(({ role, name }) => role === member.role && name === member.name)
  if (!slot || member.stale?.urgent || member.state !== 'serving') return true
  const able = others.filter((other) => {
    if (other === member || !isOf(other, slot)) return false
    return other.state === 'serving' || (slot.alone && isWaiting(other, slot))
  })
  return able.length >= slot.count
}

/** Whether it is a successor that begins as soon as there is room: not one that is to go itself. */
function isWaiting({ state, generation, stale }: Member, slot: Slot): boolean {
  return state === 'ready' && generation === slot.generation && !stale
}

function isOf({ role, name }: Member, slot: Slot): boolean {
  return role === slot.role && name === slot.name
}

function isAtWork({ state, activatedAt }: Member): boolean {
  return state === 'serving' || activatedAt !== undefined
}
