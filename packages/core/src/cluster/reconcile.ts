import type { Desired, Slot } from './desired.js'
import type { EndReason, Member, MemberSpec, Roster } from './roster.js'
import { isReplaced, roomToServe } from './services.js'
import { taskDeadline } from './setup.js'

/** One step towards what is desired. `wait` says when to look again if nothing happens before (monotonic ms). */
export type Action =
  | { do: 'launch'; spec: MemberSpec }
  | { do: 'activate'; id: number }
  /** `forward`: the requests that it still gets are no longer its own to answer. One that retires already is told so, too. */
  | { do: 'retire'; id: number; reason: EndReason; forward?: true }
  | { do: 'hurry'; id: number }
  | { do: 'kill'; id: number; reason: EndReason }
  | { do: 'wait'; until: number }

/**
 * Compares what is desired with who is there and says what to do next. The only code that decides the life of a
 * process: crash, recycle, roll, scaling and stop all converge through it. Pure: call it again after each change.
 *
 * Two rules keep the promises. A worker is retired only if `capacity` workers serve without it (new before old), and
 * workers are launched only up to `capacity + surge` that are not retiring (a roll's memory is bounded). Where the old
 * ones go first, the second rule alone holds, and none is launched before all of them have stopped to answer.
 *
 * @param now monotonic ms
 */
export function reconcile(desired: Desired, roster: Pick<Roster, 'members' | 'place'>, now: number): Action[] {
  const actions: Action[] = []
  const members = roster.members
  const unkilled = members.filter((member) => !member.killed)
  enforceDeadlines(desired, unkilled, now, actions)
  const doomed = new Set(actions.flatMap((action) => ('id' in action ? [action.id] : [])))
  const alive = unkilled.filter((member) => !doomed.has(member.id))
  if (desired.stopping === 'now') {
    for (const { id } of alive) actions.push({ do: 'kill', id, reason: 'stop-now' })
    return actions
  }
  const slots = ownersOf(desired, alive)
  activate(slots, members, actions)
  retireSurplus(desired, slots, alive, members.some(holdsSocketUnheard), actions)
  launchMissing(desired, members, roster, now, actions)
  hurry(desired, alive, actions)
  return actions
}

interface SlotView {
  slot: Slot
  /** Those of the slot that count for it: launching, ready or serving, and not stale. Oldest first. */
  members: Member[]
}

function ownersOf(desired: Desired, alive: readonly Member[]): SlotView[] {
  return desired.slots.map((slot) => ({
    slot,
    members: alive.filter((member) => belongs(member, slot) && isPresent(member) && !member.stale)
  }))
}

/** Deadlines: of boot, of activation, of the drain, and silence. */
function enforceDeadlines(desired: Desired, members: readonly Member[], now: number, actions: Action[]): void {
  let next = Number.POSITIVE_INFINITY
  for (const member of members) {
    if (member.role === 'task') {
      const { action, next: at } = taskDeadline(desired, member, now)
      if (action) actions.push(action)
      else next = Math.min(next, at)
      continue
    }
    const deadlines: [number, EndReason][] = []
    if (member.state === 'launching') deadlines.push([member.since + desired.bootTimeout, 'boot-timeout'])
    if (isHandingOver(member)) deadlines.push([(member.forwardSince as number) + FORWARD_TIMEOUT, 'hung'])
    if (member.askedAt !== undefined) deadlines.push([member.askedAt + FORK_TIMEOUT, 'hung'])
    if (member.state === 'ready' && member.activatedAt !== undefined) {
      deadlines.push([member.activatedAt + desired.bootTimeout, 'boot-timeout'])
    }
    if (member.state === 'retiring') {
      const drain = member.role === 'mold' ? 0 : desired.drainTimeout
      deadlines.push([member.since + drain + KILL_GRACE, 'drain-timeout'])
      // A successor may have to wait for its end; and of what a blocked loop holds nothing is finished any more.
      if (member.role !== 'mold' && desired.hangTimeout > 0)
        deadlines.push([member.seenAt + desired.hangTimeout, 'hung'])
    } else if (member.state !== 'launching' && desired.hangTimeout > 0) {
      deadlines.push([member.seenAt + desired.hangTimeout, 'hung'])
    }
    const over = deadlines.find(([at]) => at <= now)
    if (over) actions.push({ do: 'kill', id: member.id, reason: over[1] })
    else for (const [at] of deadlines) next = Math.min(next, at)
  }
  if (next !== Number.POSITIVE_INFINITY) actions.push({ do: 'wait', until: next })
}

/** Lets ready members serve until the slot's count serves or is about to; those beyond are its spares. */
function activate(slots: readonly SlotView[], all: readonly Member[], actions: Action[]): void {
  for (const { slot, members } of slots) {
    // A mold that is ready has nothing more to do than to fork.
    if (slot.role === 'mold') continue
    let room = roomToServe(slot, members, all)
    for (const member of members) {
      if (room <= 0) break
      if (member.state !== 'ready' || member.activatedAt !== undefined) continue
      actions.push({ do: 'activate', id: member.id })
      room -= 1
    }
  }
}

/**
 * Retires what is stale, of no slot, or beyond its slot's count, as far as capacity allows: the stale ones first, because
 * those that were asked to leave do so of themselves before long, then the oldest.
 */
function retireSurplus(
  desired: Desired,
  slots: readonly SlotView[],
  alive: readonly Member[],
  socketHeld: boolean,
  actions: Action[]
): void {
  const kept = new Set(slots.flatMap(({ slot, members }) => keep(slot, members)))
  let serving = provenWorkers(alive)
  let answering = servingWorkers(alive)
  const forward: { forward?: true } = desired.oldFirst && desired.stopping === 'no' ? { forward: true } : {}
  for (const member of [...alive].sort((a, b) => Number(!a.stale) - Number(!b.stale))) {
    if (
      forward.forward &&
      member.state === 'retiring' &&
      member.role === 'worker' &&
      member.forwardSince === undefined
    ) {
      actions.push({ do: 'retire', id: member.id, reason: member.reason ?? 'reload', ...forward })
    }
    if (kept.has(member) || !isPresent(member)) continue
    const reason = member.stale?.reason ?? surplusReason(desired, member)
    if (member.role === 'mold') {
      // It holds nothing that would have to be finished; but what the app opened in it may want to be closed.
      const obeys = member.state !== 'launching' && member.askedAt === undefined && !member.stale?.urgent
      actions.push({ do: obeys ? 'retire' : 'kill', id: member.id, reason })
      continue
    }
    if (desired.stopping !== 'no' && member.role === 'worker') {
      if (holdsSocketUnheard(member)) actions.push({ do: 'kill', id: member.id, reason })
      else if (!socketHeld) actions.push({ do: 'retire', id: member.id, reason })
    } else if (member.state === 'launching') {
      actions.push({ do: 'kill', id: member.id, reason: desired.stopping === 'no' ? 'unwanted' : reason })
    } else if (member.role !== 'worker' || member.state === 'ready' || member.stale?.urgent) {
      const isService = member.role === 'service' && desired.stopping === 'no'
      if (!isService || isReplaced(member, unretired(alive, actions), desired.slots))
        actions.push({ do: 'retire', id: member.id, reason, ...(member.role === 'worker' ? forward : {}) })
    } else if (member.unproved ? answering > desired.capacity : serving > desired.capacity) {
      // One whose health check has never passed is worth no more than any other that answers.
      actions.push({ do: 'retire', id: member.id, reason, ...forward })
      answering -= 1
      if (!member.unproved) serving -= 1
    }
  }
}

/**
 * A worker that has the socket and does not accept from it, or a mold that was sent it for one. In a stop these go first:
 * what is queued on the socket is answered by the last worker that closes it, so that one must be a worker that accepts.
 */
function holdsSocketUnheard({ role, state, askedAt }: Member): boolean {
  return (role === 'worker' && (state === 'launching' || state === 'ready')) || askedAt !== undefined
}

/** A slot keeps its serving members first, then those closest to serving. */
function keep(slot: Slot, members: readonly Member[]): Member[] {
  const rank = ({ state }: Member) => ['serving', 'promoted', 'ready', 'launching'].indexOf(state)
  const ranked = [...members].sort((a, b) => rank(a) - rank(b) || a.id - b.id)
  const serving = ranked.filter((member) => member.state === 'serving').slice(0, slot.count)
  const others = ranked.filter((member) => member.state !== 'serving')
  return [...serving, ...others.slice(0, slot.count - serving.length + slot.spare)]
}

function unretired(members: readonly Member[], actions: readonly Action[]): Member[] {
  const retired = new Set(actions.flatMap((action) => (action.do === 'retire' ? [action.id] : [])))
  return members.filter(({ id }) => !retired.has(id))
}

/**
 * Fills the empty places. A process that was killed holds its place until it is gone, so that its failure counts
 * towards the back-off before the place launches again.
 */
function launchMissing(
  desired: Desired,
  members: readonly Member[],
  roster: Pick<Roster, 'place'>,
  now: number,
  actions: Action[]
): void {
  if (desired.stopping === 'now') return
  const staying = unretired(members, actions)
  const held = members.some(isHandingOver) || (desired.oldFirst && staying.length < members.length)
  const present = staying.filter(isPresent)
  const spares = desired.slots.reduce((sum, slot) => sum + (slot.role === 'worker' ? slot.spare : 0), 0)
  let room = desired.capacity + desired.surge + spares - present.filter(({ role }) => role === 'worker').length
  let next = Number.POSITIVE_INFINITY
  const used = new Set<Member>()
  for (const slot of desired.slots) {
    const places = slot.count + slot.spare
    // In a stop nothing is begun but what ends it, and what retires still is not begun beside itself.
    if (slot.role === 'task' ? members.some((member) => belongs(member, slot)) : desired.stopping !== 'no') continue
    if (held && slot.role === 'worker') continue
    // What is only for later leaves the processor to the worker that all are waiting for.
    if (slot.role === 'mold' && slot.generation < 0 && desired.oldFirst && present.some(isBooting)) continue
    const mold = members.find((member) => canFork(member, slot.parent ?? slot.generation))
    if (slot.from === 'mold' && !mold) continue
    const owners = present.filter((member) => belongs(member, slot) && !member.stale)
    const taken = new Set(owners.map((member) => member.place))
    let missing = places - owners.length
    for (let place = 1; missing > 0 && place <= places; place += 1) {
      if (taken.has(place)) continue
      if (slot.role === 'worker' && room <= 0) break
      if (slot.from === 'mold' && mold?.once && (mold.askedAt !== undefined || used.has(mold))) break
      missing -= 1
      const { count: _, spare: __, alone: ___, ...rest } = slot
      const spec = { ...rest, place }
      const { notBefore, spacedUntil = 0 } = roster.place(spec, now)
      // In a crash storm each is to show first what becomes of it.
      if (spacedUntil > now && owners.some(({ state }) => state === 'launching')) break
      if (notBefore > now) {
        next = Math.min(next, notBefore)
      } else {
        actions.push({ do: 'launch', spec })
        if (slot.from === 'mold' && mold) used.add(mold)
        if (slot.role === 'worker') room -= 1
        if (spacedUntil > now) break
      }
    }
  }
  if (next !== Number.POSITIVE_INFINITY) actions.push({ do: 'wait', until: next })
}

/** Where more than `maxRetiring` of one place drain, the oldest close their idle connections. */
function hurry({ maxRetiring }: Desired, alive: readonly Member[], actions: Action[]): void {
  const places = new Map<string, Member[]>()
  for (const member of alive) {
    if (member.role !== 'worker' || member.state !== 'retiring') continue
    const key = String(member.place)
    places.set(key, [...(places.get(key) ?? []), member])
  }
  for (const retiring of places.values()) {
    for (const member of retiring.slice(0, Math.max(0, retiring.length - maxRetiring))) {
      if (!member.hurried) actions.push({ do: 'hurry', id: member.id })
    }
  }
}

/** Whether it is the mold that a generation's workers are forked from; until there is one, they wait. */
function canFork({ role, state, generation, stale, killed }: Member, wanted: number): boolean {
  return role === 'mold' && generation === wanted && (state === 'ready' || state === 'promoted') && !stale && !killed
}

/** Workers that answer requests and will go on doing so. */
export function servingWorkers(members: readonly Member[]): number {
  return members.filter(
    (member) => member.role === 'worker' && member.state === 'serving' && !member.stale?.urgent && !member.killed
  ).length
}

/** Those of the serving ones whose health check has passed, or that have none: only for these do others leave. */
export function provenWorkers(members: readonly Member[]): number {
  return servingWorkers(members.filter(({ unproved }) => !unproved))
}

/** Workers that have booted and are held back. */
export function heldBack(members: readonly Member[]): number {
  return members.filter(
    ({ role, state, activatedAt, stale, killed }) =>
      role === 'worker' && state === 'ready' && activatedAt === undefined && !stale && !killed
  ).length
}

function surplusReason(desired: Desired, member: Member): EndReason {
  if (desired.stopping !== 'no') return 'stop'
  if (member.role === 'mold' || member.role === 'task') return 'unwanted'
  const current = desired.slots.some((slot) => belongs(member, slot))
  return current ? 'scale-down' : 'reload'
}

function belongs(member: Member, slot: Slot): boolean {
  if (member.role !== slot.role || member.name !== slot.name || member.generation !== slot.generation) return false
  return member.fallback === slot.fallback
}

function isBooting({ role, state }: Member): boolean {
  return role === 'worker' && (state === 'launching' || state === 'ready')
}

/** Was told to hand on what it gets, and may not have heard of it yet. */
function isHandingOver({ forwardSince, forwarding }: Member): boolean {
  return forwardSince !== undefined && !forwarding
}

function isPresent({ state }: Member): boolean {
  return state === 'launching' || state === 'ready' || state === 'serving' || state === 'promoted'
}

/** How long a worker may take to say that it hands on what it gets, ms: else its loop is blocked. */
const FORWARD_TIMEOUT = 3_000
/** How long a mold may take to answer a request to fork, ms. */
const FORK_TIMEOUT = 5_000
/** What a worker gets after `drainTimeout` to cut the rest and close its app, before it is killed. */
const KILL_GRACE = 5_000
