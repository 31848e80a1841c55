import type { OpenData, Upward, VitalsData } from '../channel/messages.js'
import { type ErrorData, errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import { announce } from './events.js'
import type { Peer } from './processes.js'
import { refuse } from './refuse.js'
import type { Supervisor } from './supervisor.js'

type Of<Type extends Upward['type']> = Extract<Upward, { type: Type }>

/** A mold has its code loaded, or a worker has been drained to become one: both say what they hold. */
export function takeMolded(supervisor: Supervisor, peer: Peer, message: Of<'molded'>): void {
  const { member } = peer
  if (member.role === 'worker') return takePromoted(supervisor, peer, message)
  if (member.state !== 'launching') return refuse(supervisor, peer, `molded while ${member.state}`)
  const { roster, clock, processes, log, settings } = supervisor
  const now = clock.now()
  const { id, role, generation } = member
  roster.ready(member, now)
  const error = unclean(message, settings.strict)
  if (error) {
    const base = generation < 0
    const fatal = settings.boot === 'fork' && !base
    if (base) supervisor.primes.unclean(generation, message.open)
    const spawned = fatal || base ? '' : `; the workers of gen=${generation} are spawned`
    log[base ? 'debug' : 'warn'](`${identity(member)} ${error.message}${spawned}`)
    return supervisor.apply({ type: 'mold-unclean', generation, fatal, error })
  }
  if (message.timers.length > 0)
    log.info(`${identity(member)} has timers, and so will its forks: ${list(message.timers)}`)
  const how = peer.molds?.way === 'standby' ? 'the next worker comes from it' : 'workers are forked from it'
  log.info(`${identity(member)} ready; ${how}`)
  announce(supervisor, 'mold:ready', processes.info(peer, now))
  supervisor.apply({ type: 'ready', id, role, generation })
}

function takePromoted(supervisor: Supervisor, peer: Peer, message: Of<'molded'>): void {
  const { member, connection } = peer
  const { log, roster, clock, processes, settings } = supervisor
  const { promotion: generation, id } = member
  if (member.state !== 'retiring' || generation === undefined) return refuse(supervisor, peer, 'molded unasked')
  const before = identity(member)
  const error = unclean(message, settings.strict)
  if (error) {
    log.warn(`${before} cannot become a mold: ${error.message}`)
    peer.launched?.kill('SIGKILL')
    return supervisor.apply({ type: 'not-promoted', id, error })
  }
  const now = clock.now()
  roster.promote(member, generation, now)
  if (connection?.admission) connection.admission.role = 'mold'
  // What the app listened to is for its forks, each of which asks for it again.
  if (connection) supervisor.followers.remove(connection)
  log.info(`${before} is the mold of gen=${generation} now`)
  announce(supervisor, 'mold:ready', processes.info(peer, now))
  supervisor.apply({ type: 'promoted', id, generation })
}

/** What a mold made of a request to fork. Two failures in a row, and it is replaced. */
export function takeFork(supervisor: Supervisor, peer: Peer, message: Of<'forked'> | Of<'fork-failed'>): void {
  const { request } = message
  const { launched, member, molds } = peer
  const known =
    message.type === 'forked'
      ? molds?.forked(launched, request, message.pid)
      : molds?.pending.failed(launched, request, message.error)
  if (!known) return refuse(supervisor, peer, `${message.type} of ${request}, which it was not asked for`)
  if (molds?.pending.awaits(launched)) member.askedAt = supervisor.clock.now()
  else delete member.askedAt
  peer.failedForks = message.type === 'forked' ? 0 : peer.failedForks + 1
  if (peer.failedForks < FAILED_FORKS || member.stale) return
  supervisor.log.error(`${identity(member)} failed to fork ${peer.failedForks} times in a row; replaced`)
  member.stale = { reason: 'fork-failed', urgent: true }
  supervisor.apply({ type: 'tick' })
}

/** Reforks by itself when a worker has answered as many requests as `refork.after` says, once for each number. */
export function reforkWhenWarm(supervisor: Supervisor, { member }: Peer, { requests }: VitalsData): void {
  const { settings, generation, plan, forked } = supervisor
  const enough = settings.refork.after[supervisor.reforks]
  if (enough === undefined || requests < enough || plan.roll || !forked || member.generation !== generation) return
  supervisor.reforks += 1
  supervisor.log.info(`${identity(member)} has answered ${requests} requests: reforking`)
  // Why it failed is logged where it fails.
  supervisor.refork().catch(() => {})
}

function unclean({ open, timers }: Of<'molded'>, strict: boolean): ErrorData | undefined {
  const held = strict ? [...open, ...timers] : open
  if (held.length === 0) return undefined
  return errorToData(new MapacheError('MAPACHE_MOLD_UNCLEAN', `it holds ${list(held)}`))
}

function list(open: readonly OpenData[]): string {
  return open.map(({ what, by }) => (by ? `${what} (opened by ${by})` : what)).join(', ')
}

/** So many forks that fail one after the other are the mold's fault. */
const FAILED_FORKS = 2
