import type { Upward } from '../channel/messages.js'
import { type Due, due, type Watched } from '../cluster/health.js'
import type { Member } from '../cluster/roster.js'
import type { ErrorData } from '../errors.js'
import { identity } from '../log.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** Looks after the workers that serve: who is past a limit or unhealthy is marked to be replaced, one at a time. */
export class HealthWatch {
  readonly #draws = new WeakMap<Member, number>()

  /** Looks whether a worker is due. Called once a second for each of them. */
  look(supervisor: Supervisor): void {
    const { settings, processes, roster, plan, clock, stopping, log } = supervisor
    if (stopping || plan.roll || plan.failure) return
    const peers = processes.all.filter(({ member }) => member.role === 'worker' && !member.fallback)
    const found = due(
      peers.map((peer) => this.#watched(peer)),
      settings,
      plan.settings.workers,
      clock.now()
    )
    const member = found && roster.get(found.id)
    if (!found || !member) return
    log.info(`${identity(member)} is recycled: ${reasonOf(found, settings)}`)
    member.stale = { reason: found.because === 'unhealthy' ? 'unhealthy' : 'recycle', urgent: false }
    supervisor.apply({ type: 'tick' })
  }

  #watched({ member, vitals, memory }: Peer): Watched {
    const draw = this.#draws.get(member) ?? Math.random()
    this.#draws.set(member, draw)
    return { member, draw, requests: vitals?.requests ?? 0, memory: memory?.own ?? vitals?.rss ?? 0 }
  }
}

/**
 * A worker says that its health check has passed or failed. One that is well again before it was told to leave stays; one
 * whose check has never passed is of no use to wait for, and goes at once if enough others serve.
 */
export function takeHealth(
  supervisor: Supervisor,
  peer: Peer,
  { healthy, error }: Extract<Upward, { type: 'health' }>
): void {
  const { member } = peer
  const { log, clock } = supervisor
  // It may have been told to leave meanwhile.
  if (member.state !== 'serving') return
  if (healthy) {
    const again = member.unhealthySince !== undefined
    if (again)
      log.info(`${identity(member)} is healthy again${member.stale?.reason === 'unhealthy' ? '; it stays' : ''}`)
    delete member.unproved
    delete member.unhealthySince
    if (member.stale?.reason === 'unhealthy') delete member.stale
    supervisor.apply({ type: 'tick' })
  } else {
    const data = unhealthyError(error)
    peer.unhealthy = data
    member.unhealthySince ??= clock.now()
    log.warn(`${identity(member)} is unhealthy: ${error?.message.split('\n', 1)[0] ?? 'its check failed'}`)
    if (member.unproved) member.stale ??= { reason: 'unhealthy', urgent: false }
    supervisor.apply({ type: 'unhealthy', id: member.id, error: data })
  }
  supervisor.health.look(supervisor)
}

function unhealthyError(cause: ErrorData | undefined): ErrorData {
  const message = `it is unhealthy: ${cause?.message ?? 'its check failed'}`
  return { name: 'Error', message, stack: cause?.stack ?? `Error: ${message}`, ...(cause ? { cause } : {}) }
}

function reasonOf({ because, figure, limit }: Due, settings: Record<Exclude<Due['because'], 'unhealthy'>, number>) {
  if (because === 'unhealthy') return `it has been unhealthy for ${Math.round(figure)} ms`
  const of = `its limit is ${limit} of ${because} ${settings[because]}`
  if (because === 'maxRequests') return `it has answered ${figure} requests, and ${of}`
  if (because === 'maxAge') return `it is ${Math.round(figure)} ms old, and ${of}`
  return `it has ${figure} bytes of its own, and ${of}`
}
