import t from 'tap'
import type { Desired, Slot } from '#core/cluster/desired.js'
import { type Action, reconcile } from '#core/cluster/reconcile.js'
import type { Member, MemberSpec, Origin, Role } from '#core/cluster/roster.js'
import type { State } from '#core/cluster/states.js'

/** One row of a table: what is desired, who is there, and what is to be done. */
export interface Row {
  name: string
  /**
   * `w g1 x2 +1`: two workers and a spare of generation 1, `fw` if they are forked, `of=-1` from which mold if it is not their
   * own; `w g1 x1 fallback`: what serves for the app; `m g1 x1`: its mold, `once` for a standby; `shell g1 x1`: a service,
   * `alone` if its successor waits until it is gone.
   */
  slots: string[]
  /** `w g1 p2 serving`, ids from 1; see `toMember`. */
  members?: string[]
  /** Default: what the first slot of workers counts. */
  capacity?: number
  desired?: Partial<Desired>
  now?: number
  /** When a place may launch again, by `w g1 p2`. */
  notBefore?: Record<string, number>
  actions: string[]
  /** The times to look again at; not compared when left out. */
  waits?: number[]
}

/** Runs a table through reconcile. */
export function table(rows: readonly Row[]): void {
  for (const row of rows) {
    t.test(row.name, async (t) => {
      const desired = toDesired(row.slots, row.capacity, row.desired)
      const place = (spec: MemberSpec) => ({ failures: 0, notBefore: row.notBefore?.[placeOf(spec)] ?? 0 })
      const actions = reconcile(desired, { members: toMembers(row.members ?? []), place }, row.now ?? 0)
      const { done, waits } = describe(actions)
      t.strictSame(done, row.actions)
      if (row.waits) t.strictSame(waits, row.waits)
    })
  }
}

export function toDesired(slots: readonly string[], capacity?: number, rest: Partial<Desired> = {}): Desired {
  const parsed = slots.map(toSlot)
  return {
    slots: parsed,
    capacity: capacity ?? parsed.find(({ role }) => role === 'worker')?.count ?? 0,
    oldFirst: false,
    surge: 1,
    maxRetiring: 2,
    stopping: 'no',
    bootTimeout: 30_000,
    hangTimeout: 0,
    drainTimeout: 90_000,
    setupTimeout: 600_000,
    ...rest
  }
}

export function toMembers(texts: readonly string[]): Member[] {
  return texts.map((text, index) => toMember(text, index + 1))
}

/**
 * `<w, fw, m, or the service's name, setup, teardown> g<generation> p<place> <state>`, then any of: `stale` (asked to leave), `deaf` (stale and
 * urgent), `killed`, `hurried`, `activated`, `fallback`, `once`, `forwarding` (has said so), and `since=`, `seen=`,
 * `activatedAt=`, `askedAt=`, `forward=` (told to), in ms, and `reason=`.
 */
export function toMember(text: string, id: number): Member {
  const [who = '', generation = '', place = '', state = '', ...flags] = text.split(' ')
  const time = (name: string) => Number(flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0)
  const reason = flags.find((flag) => flag.startsWith('reason='))?.slice('reason='.length) as Member['reason']
  const served = state === 'serving' || state === 'retiring'
  const activated = served || flags.some((flag) => flag.startsWith('activated'))
  const stale = flags.includes('deaf')
    ? { reason: 'not-listening' as const, urgent: true }
    : flags.includes('stale')
      ? { reason: 'signal' as const, urgent: false }
      : undefined
  return {
    id,
    ...roleOf(who),
    generation: Number(generation.slice(1)),
    place: Number(place.slice(1)),
    state: state as State,
    launchedAt: 0,
    since: time('since'),
    seenAt: time('seen'),
    hurried: flags.includes('hurried'),
    killed: flags.includes('killed'),
    ...(time('askedAt') > 0 ? { askedAt: time('askedAt') } : {}),
    ...(flags.some((flag) => flag.startsWith('forward=')) ? { forwardSince: time('forward') } : {}),
    ...(flags.includes('forwarding') ? { forwarding: true } : {}),
    ...(flags.includes('fallback') ? { fallback: true } : {}),
    ...(flags.includes('once') ? { once: true } : {}),
    ...(activated ? { activatedAt: time('activatedAt') } : {}),
    ...(served ? { servingAt: 0 } : {}),
    ...(stale ? { stale } : {}),
    ...(reason ? { reason } : {})
  }
}

/** Actions as text, the waits apart. */
export function describe(actions: readonly Action[]): { done: string[]; waits: number[] } {
  const done = actions.flatMap((action) => {
    if (action.do === 'wait') return []
    if (action.do === 'launch') return [`launch ${placeOf(action.spec)}`]
    const forward = action.do === 'retire' && action.forward ? ' forward' : ''
    return [`${action.do} ${action.id}${'reason' in action ? ` ${action.reason}` : ''}${forward}`]
  })
  return { done, waits: actions.flatMap((action) => (action.do === 'wait' ? [action.until] : [])) }
}

function toSlot(text: string): Slot {
  const [who = '', generation = '', count = '', ...rest] = text.split(' ')
  const parent = rest.find((word) => word.startsWith('of='))?.slice(3)
  return {
    ...roleOf(who),
    generation: Number(generation.slice(1)),
    count: Number(count.slice(1)),
    spare: Number(rest.find((word) => word.startsWith('+')) ?? 0),
    ...(parent === undefined ? {} : { parent: Number(parent) }),
    ...(rest.includes('fallback') ? { fallback: true } : {}),
    ...(rest.includes('once') ? { once: true } : {}),
    ...(rest.includes('alone') ? { alone: true } : {})
  }
}

function roleOf(who: string): { role: Role; name: string; from: Origin } {
  if (who === 'w') return { role: 'worker', name: '', from: 'disk' }
  if (who === 'fw') return { role: 'worker', name: '', from: 'mold' }
  if (who === 'm') return { role: 'mold', name: '', from: 'disk' }
  if (who === 'setup' || who === 'teardown') return { role: 'task', name: who, from: 'disk' }
  return { role: 'service', name: who, from: 'disk' }
}

/** The other way round. */
export function whoIs({ role, name, from }: Pick<MemberSpec, 'role' | 'name' | 'from'>): string {
  if (role === 'mold') return 'm'
  return role === 'worker' ? (from === 'mold' ? 'fw' : 'w') : name
}

function placeOf(spec: MemberSpec): string {
  return `${whoIs(spec)} g${spec.generation} p${spec.place}${moreOf(spec)}`
}

/** What else there is to say of a slot or a process. */
export function moreOf({ parent, fallback, once }: Pick<MemberSpec, 'parent' | 'fallback' | 'once'>): string {
  return `${parent === undefined ? '' : ` of=${parent}`}${fallback ? ' fallback' : ''}${once ? ' once' : ''}`
}
