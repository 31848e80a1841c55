import type { CallMethod, Upward } from '../channel/messages.js'
import type { Connection } from '../channel/server.js'
import { errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

type Call = Extract<Upward, { type: 'call' }>

/**
 * Does what somebody on the channel asks of the cluster, and answers. Operators may ask for everything: who can reach the
 * channel runs as the cluster's own user.
 */
export async function takeCall(supervisor: Supervisor, connection: Connection<Peer>, message: Call): Promise<void> {
  const { request, ...rest } = message
  try {
    const value = await call(supervisor, connection, rest)
    connection.send({ type: 'reply', request, ...(value === undefined ? {} : { value }) })
  } catch (error) {
    connection.send({ type: 'reply', request, error: errorToData(error) })
  }
}

function call(supervisor: Supervisor, connection: Connection<Peer>, wanted: Omit<Call, 'request'>) {
  const { method, workers, id, lines, oldFirst = false, canary } = wanted
  const peer = connection.admission?.peer
  if (!LOOKS.has(method)) {
    if (peer && !mayControl(supervisor, peer)) {
      const needs = peer.member.role === 'worker' ? 'control: true' : 'control: true in its specification'
      throw new MapacheError(
        'MAPACHE_CONTROL_DENIED',
        `a ${peer.member.role} may not ${method} the cluster without ${needs}`
      )
    }
    supervisor.log.info(`${peer ? identity(peer.member) : 'an operator'} asks for: ${described(wanted)}`)
  }
  switch (method) {
    case 'status':
      return supervisor.status()
    case 'events':
      supervisor.followers.add(connection)
      return
    case 'log':
      return supervisor.tail(lines)
    case 'reload':
      return supervisor.reload({ oldFirst, canary })
    case 'refork':
      return supervisor.refork()
    case 'rollback':
      return supervisor.rollback()
    case 'scale':
      return supervisor.scale(workers as number | 'auto')
    case 'recycle':
      return supervisor.recycle(id as number)
    case 'revive':
      return supervisor.revive()
    case 'stop':
      // The answer comes before the end: the one who asks may be among those who leave.
      void supervisor.stop()
      return
    case 'stop-now':
      void supervisor.stop('now')
      return
    default:
      return method satisfies never
  }
}

function mayControl({ settings, parts }: Supervisor, { member }: Peer): boolean {
  if (settings.control) return true
  return (
    member.role === 'service' && parts.modules.services.some(({ name, control }) => control && name === member.name)
  )
}

function described({ method, workers, id }: Omit<Call, 'request'>): string {
  return [method, workers, id].filter((part) => part !== undefined).join(' ')
}

/** Whoever is on the channel may look. */
const LOOKS: ReadonlySet<CallMethod> = new Set<CallMethod>(['status', 'events', 'log'])
