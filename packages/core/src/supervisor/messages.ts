import type { Upward, VitalsData } from '../channel/messages.js'
import type { Connection } from '../channel/server.js'
import { errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import { announce } from './events.js'
import { reforkWhenWarm, takeFork, takeMolded } from './molding.js'
import { eventName, type Peer } from './processes.js'
import { refuse } from './refuse.js'
import type { Supervisor } from './supervisor.js'

type Message = Exclude<Upward, { type: 'hello' }>

/** Welcomes a process that said hello with its token. */
export function takeHello(supervisor: Supervisor, connection: Connection<Peer>): void {
  const peer = connection.admission?.peer
  if (!peer) return
  peer.connection = connection
  // A forked process may be heard of before its mold has told its pid: it is not to go on before all know who it is.
  if (peer.member.pid === undefined) peer.greet = () => welcome(supervisor, connection)
  else welcome(supervisor, connection)
}

function welcome({ settings, tickets }: Supervisor, connection: Connection<Peer>): void {
  connection.send({
    type: 'welcome',
    ticketKeys: tickets.current,
    backlog: settings.backlog,
    stopIdleGrace: settings.stopIdleGrace,
    drainTimeout: settings.drainTimeout,
    hangTimeout: settings.hangTimeout
  })
}

/** Takes a message that passed the channel's boundary. What is out of turn for its sender is refused. */
export function takeMessage(supervisor: Supervisor, connection: Connection<Peer>, message: Message): void {
  const peer = connection.admission?.peer
  if (!peer) return
  const { member } = peer
  member.seenAt = supervisor.clock.now()
  switch (message.type) {
    case 'ready':
      return takeReady(supervisor, peer, message)
    case 'serving':
      return takeServing(supervisor, peer, message)
    case 'failed':
      peer.error ??= message.error
      return
    case 'listen':
      return void takeListen(supervisor, peer, message)
    case 'vitals':
      return takeVitals(supervisor, peer, message.vitals)
    case 'alive':
      return
    case 'molded':
      return takeMolded(supervisor, peer, message)
    case 'forked':
    case 'fork-failed':
      return takeFork(supervisor, peer, message)
    case 'leave':
      if (member.state !== 'retiring') member.stale ??= { reason: 'signal', urgent: false }
      return supervisor.apply({ type: 'tick' })
    case 'forwarding':
      if (member.forwardSince === undefined) return refuse(supervisor, peer, 'forwarding unasked')
      member.forwarding = true
      return supervisor.apply({ type: 'tick' })
    case 'drained':
      return takeDrained(supervisor, peer, message)
    case 'call':
      return void takeCall(supervisor, peer, message)
    case 'module':
      return takeModuleMessage(supervisor, peer, message)
    default:
      message satisfies never
  }
}

function takeReady(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'ready' }>): void {
  const { options, warmup } = message
  const { member } = peer
  if (member.state !== 'launching') return refuse(supervisor, peer, `ready while ${member.state}`)
  const now = supervisor.clock.now()
  supervisor.roster.ready(member, now)
  if (options) peer.options = options
  peer.warmup = warmup === true
  supervisor.log.debug(`${identity(member)} ready`)
  announce(supervisor, eventName(member, 'ready'), supervisor.processes.info(peer, now))
  supervisor.apply({ type: 'ready', id: member.id, role: member.role, generation: member.generation })
}

function takeServing(supervisor: Supervisor, peer: Peer, { addresses }: Extract<Message, { type: 'serving' }>): void {
  const { member } = peer
  // It may have been told to retire between its listening and our reading of it.
  if (member.state === 'retiring') return
  if (member.state !== 'ready') return refuse(supervisor, peer, `serving while ${member.state}`)
  const now = supervisor.clock.now()
  supervisor.roster.serving(member, now)
  peer.addresses = addresses
  supervisor.log.info(`${identity(member)} serving`)
  announce(supervisor, eventName(member, 'serving'), supervisor.processes.info(peer, now))
  supervisor.served(peer)
}

/** Binds an address that only the worker knew, and passes it the socket; later launches inherit it. */
async function takeListen(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'listen' }>) {
  const { request, address } = message
  try {
    const listener = await supervisor.bind(address)
    if (peer.member.state === 'serving') supervisor.openedLate.set(listener.key, peer.member.generation)
    await peer.launched?.sendListener(listener.key, listener)
    peer.connection?.send({ type: 'reply', request, value: listener.address })
  } catch (error) {
    peer.connection?.send({ type: 'reply', request, error: errorToData(error) })
  }
}

function takeVitals(supervisor: Supervisor, peer: Peer, vitals: VitalsData): void {
  const { member } = peer
  peer.vitals = vitals
  announce(supervisor, 'worker:vitals', supervisor.processes.info(peer, member.seenAt))
  reforkWhenWarm(supervisor, peer, vitals)
  if (vitals.listening || member.state !== 'serving' || member.stale) return
  supervisor.log.error(`${identity(member)} is no longer listening; replaced`)
  member.stale = { reason: 'not-listening', urgent: true }
  supervisor.apply({ type: 'tick' })
}

function takeDrained(supervisor: Supervisor, peer: Peer, { drained }: Extract<Message, { type: 'drained' }>): void {
  const { cutRequests, cutSockets, cutStreams, closedIdle } = drained
  const { member } = peer
  peer.drained = drained
  if (cutRequests + cutSockets + cutStreams === 0) return
  const after = Math.round(supervisor.clock.now() - member.since)
  supervisor.log.warn(
    `${identity(member)} reached drainTimeout after ${after} ms: cut ${cutRequests} requests, ` +
      `${cutSockets} upgraded sockets, ${cutStreams} HTTP/2 streams; closed ${closedIdle} idle connections`
  )
}

async function takeCall(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'call' }>) {
  const { request, method, ...rest } = message
  try {
    const value = await call(supervisor, method, rest)
    peer.connection?.send({ type: 'reply', request, ...(value === undefined ? {} : { value }) })
  } catch (error) {
    peer.connection?.send({ type: 'reply', request, error: errorToData(error) })
  }
}

type Call = Extract<Message, { type: 'call' }>

function call(
  supervisor: Supervisor,
  method: Call['method'],
  { workers, oldFirst = false }: Pick<Call, 'workers' | 'oldFirst'>
) {
  if (method === 'status') return supervisor.status()
  if (!supervisor.settings.control) {
    throw new MapacheError('MAPACHE_CONTROL_DENIED', `a worker may not ${method} the cluster without control: true`)
  }
  switch (method) {
    case 'reload':
      return supervisor.reload({ oldFirst })
    case 'refork':
      return supervisor.refork()
    case 'rollback':
      return supervisor.rollback()
    case 'scale':
      return supervisor.scale(workers as number)
    case 'stop':
      // The answer comes before the end: the one who asks is among those who leave.
      void supervisor.stop()
      return
    case 'stop-now':
      void supervisor.stop('now')
      return
    default:
      return method satisfies never
  }
}

function takeModuleMessage(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'module' }>): void {
  const { id, role, name, generation } = peer.member
  const what = `${message.module}:${message.message}`
  const module = supervisor.settings.modules.find((one) => one.name === message.module)
  const spec = Object.hasOwn(module?.messages ?? {}, message.message) ? module?.messages?.[message.message] : undefined
  const sender = role as 'worker' | 'service'
  if (!spec) return refuse(supervisor, peer, `no module takes ${what}`)
  if (spec.from && !spec.from.includes(sender)) return refuse(supervisor, peer, `a ${role} may not send ${what}`)
  try {
    const data = spec.check(message.data) as never
    const send = (reply: string, value: unknown) =>
      peer.connection?.send({ type: 'module', module: message.module, message: reply, data: value })
    spec.receive(data, { role: sender, id, name, generation, send }, supervisor)
  } catch (error) {
    refuse(supervisor, peer, `${what}: ${(error as Error).message}`)
  }
}
