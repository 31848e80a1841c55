import type { Upward } from '../channel/messages.js'
import type { Connection } from '../channel/server.js'
import { errorToData } from '../errors.js'
import { identity } from '../log.js'
import { takeCall } from './calls.js'
import { announce } from './events.js'
import { takeHealth } from './health.js'
import { reforkWhenWarm, takeFork, takeMolded } from './molding.js'
import { eventName, type Peer } from './processes.js'
import { replaceFor } from './recycle.js'
import { refuse } from './refuse.js'
import { PULSE } from './scaling.js'
import { takeSetupWanted } from './setup.js'
import type { Supervisor } from './supervisor.js'

type Message = Exclude<Upward, { type: 'hello' }>

/** Welcomes a process that said hello with its token, or an operator. */
export function takeHello(supervisor: Supervisor, connection: Connection<Peer>): void {
  const peer = connection.admission?.peer
  if (!peer) return connection.send({ type: 'admitted' })
  peer.connection = connection
  // A forked process may be heard of before its mold has told its pid: it is not to go on before all know who it is.
  if (peer.member.pid === undefined) peer.greet = () => welcome(supervisor, connection)
  else welcome(supervisor, connection)
}

function welcome({ settings, tickets, scaling }: Supervisor, connection: Connection<Peer>): void {
  connection.send({
    type: 'welcome',
    ticketKeys: tickets.current,
    backlog: settings.backlog,
    stopIdleGrace: settings.stopIdleGrace,
    drainTimeout: settings.drainTimeout,
    hangTimeout: settings.hangTimeout,
    pulse: connection.admission?.role === 'worker' ? scaling.pulse : PULSE
  })
}

/** Takes a message that passed the channel's boundary. What is out of turn for its sender is refused. */
export function takeMessage(supervisor: Supervisor, connection: Connection<Peer>, message: Message): void {
  const peer = connection.admission?.peer
  if (peer) peer.member.seenAt = supervisor.clock.now()
  if (message.type === 'call') return void takeCall(supervisor, connection, message)
  // Of all the others no operator may send any.
  if (!peer) return
  const { member } = peer
  // While it is found out why it hung it may go on after all, but its end is decided.
  if (member.killed && STEPS.has(message.type)) return
  switch (message.type) {
    case 'ready':
      return takeReady(supervisor, peer, message)
    case 'serving':
      return takeServing(supervisor, peer, message)
    case 'failed':
      peer.error ??= message.error
      return noteLastWord(peer)
    case 'listen':
      return void takeListen(supervisor, peer, message)
    case 'vitals':
      return takeVitals(supervisor, peer, message)
    case 'health':
      return takeHealth(supervisor, peer, message)
    case 'alive':
      peer.memory = message.memory ?? peer.memory
      return
    case 'molded':
      return takeMolded(supervisor, peer, message)
    case 'forked':
    case 'fork-failed':
      return takeFork(supervisor, peer, message)
    case 'setup-wanted':
      return takeSetupWanted(supervisor, peer)
    case 'done':
      peer.task = message.none ? 'none' : 'done'
      return noteLastWord(peer)
    case 'leave':
      if (member.state !== 'retiring') replaceFor(member, 'signal')
      return supervisor.apply({ type: 'tick' })
    case 'forwarding':
      if (member.forwardSince === undefined) return refuse(supervisor, peer, 'forwarding unasked')
      member.forwarding = true
      return supervisor.apply({ type: 'tick' })
    case 'drained':
      return takeDrained(supervisor, peer, message)
    case 'log':
      return supervisor.log[message.level](`${identity(member)}: ${message.text}`)
    case 'module':
      return takeModuleMessage(supervisor, peer, message)
    default:
      message satisfies never
  }
}

/** A task may have logged more than is read of it at once, and its end is not to be known ahead of what it said last. */
function noteLastWord({ member, connection }: Peer): void {
  if (member.role === 'task') connection?.send({ type: 'noted' })
}

function takeReady(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'ready' }>): void {
  const { options, warmup, teardown } = message
  const { member } = peer
  if (member.state !== 'launching') return refuse(supervisor, peer, `ready while ${member.state}`)
  const now = supervisor.clock.now()
  supervisor.roster.ready(member, now)
  if (options) peer.options = options
  peer.warmup = warmup === true
  peer.teardown = teardown === true
  supervisor.log.debug(`${identity(member)} ready`)
  announce(supervisor, eventName(member, 'ready'), supervisor.processes.info(peer, now))
  supervisor.apply({ type: 'ready', id: member.id, role: member.role, generation: member.generation })
}

function takeServing(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'serving' }>): void {
  const { addresses, checked } = message
  const { member } = peer
  // It may have been told to retire between its listening and our reading of it.
  if (member.state === 'retiring') return
  if (member.state !== 'ready') return refuse(supervisor, peer, `serving while ${member.state}`)
  const now = supervisor.clock.now()
  supervisor.roster.serving(member, now)
  if (checked && member.role === 'worker') member.unproved = true
  peer.addresses = addresses
  supervisor.canary.joined(peer)
  supervisor.log.info(`${identity(member)} ${member.role === 'task' ? 'begins' : 'serving'}`)
  announce(supervisor, eventName(member, 'serving'), supervisor.processes.info(peer, now))
  supervisor.served(peer)
}

/** Binds an address that only the worker knew, and passes it the socket; later launches inherit it. */
async function takeListen(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'listen' }>) {
  const { request, address } = message
  try {
    const listener = await supervisor.bind(address, peer.member)
    if (peer.member.role === 'service' && peer.member.state === 'serving') peer.addresses.push(listener.address)
    if (peer.member.role === 'worker' && peer.member.state === 'serving')
      supervisor.openedLate.set(listener.key, peer.member.generation)
    await peer.launched?.sendListener(listener.key, listener)
    peer.connection?.send({ type: 'reply', request, value: listener.address })
  } catch (error) {
    peer.connection?.send({ type: 'reply', request, error: errorToData(error) })
  }
}

function takeVitals(supervisor: Supervisor, peer: Peer, message: Extract<Message, { type: 'vitals' }>): void {
  const { vitals, memory, answers } = message
  const { member } = peer
  peer.vitals = vitals
  peer.memory = memory ?? peer.memory
  const tells = supervisor.scaling.note(member, vitals)
  if (tells) announce(supervisor, 'worker:vitals', supervisor.processes.info(peer, member.seenAt))
  reforkWhenWarm(supervisor, peer, vitals)
  if (answers) supervisor.canary.report(peer, answers, vitals.delayP99)
  // It looks at all workers: once a second for each is enough, however often they report while the load decides.
  if (tells) supervisor.health.look(supervisor)
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

/** What would move a process on, or change what is planned for it. */
const STEPS: ReadonlySet<Message['type']> = new Set<Message['type']>(['ready', 'serving', 'molded', 'health', 'leave'])
