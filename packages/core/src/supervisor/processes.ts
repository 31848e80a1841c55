import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { BoundAddress, Downward, DrainedData, MemoryData, VitalsData } from '../channel/messages.js'
import type { Admission, Connection } from '../channel/server.js'
import type { Member, Roster } from '../cluster/roster.js'
import type { ProcessInfo } from '../cluster.js'
import { type ErrorData, errorToData, MapacheError } from '../errors.js'
import type { ReportedOptions, Settings } from '../options.js'
import { clearPresence } from './folder.js'
import type { ExitStatus, LaunchEvents, Launched, Launcher, LaunchSpec } from './launch/launcher.js'
import type { Molds } from './launch/pending.js'
import { StandbyLauncher } from './launch/standby.js'
import { describeTaskEnd } from './setup.js'

/** A process as the supervisor holds it: its member in the roster, and what belongs to the running process. */
export interface Peer {
  readonly member: Member
  readonly token: string
  launched?: Launched
  connection?: Connection<Peer>
  /** The error that it reported before its end. */
  error?: ErrorData
  vitals?: VitalsData
  memory?: MemoryData | undefined
  drained?: DrainedData
  options?: ReportedOptions
  /** What its health check failed with last. */
  unhealthy?: ErrorData
  /** The file that was written when it hung. */
  diagnostic?: string
  /** Its app brings what warms up a mold. */
  warmup?: boolean
  /** Its app brings a teardown. */
  teardown?: boolean
  /** Of a task: it has said that it is done, or that there is nothing to do. */
  task?: 'done' | 'none'
  /** Who forks workers from it, where it is a mold. */
  molds?: Molds
  /** Of a mold: forks that failed in a row. */
  failedForks: number
  /** Welcomes it, once its pid is known. */
  greet?: () => void
  addresses: BoundAddress[]
}

/** The launched processes, and the tokens that they say hello with. */
export class Processes {
  readonly #peers = new Map<number, Peer>()
  readonly #launcher: Launcher
  readonly #molds: Molds | undefined
  readonly #standbys = new StandbyLauncher()
  readonly #roster: Roster

  /** @param molds launches molds and forks workers from them, where that can be done */
  constructor(launcher: Launcher, molds: Molds | undefined, roster: Roster) {
    this.#launcher = launcher
    this.#molds = molds
    this.#roster = roster
  }

  get all(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  get(id: number): Peer | undefined {
    return this.#peers.get(id)
  }

  launch(
    member: Member,
    spec: Omit<LaunchSpec, 'token' | 'id'>,
    onExit: (peer: Peer, status: ExitStatus) => void
  ): Peer {
    const peer: Peer = { member, token: randomBytes(32).toString('hex'), addresses: [], failedForks: 0 }
    const molds = spec.base?.how === 'standby' ? this.#standbys : this.#molds
    if (molds) peer.molds = molds
    this.#peers.set(member.id, peer)
    const started = (pid: number) => {
      member.pid = pid
      peer.greet?.()
    }
    const exited = (status: ExitStatus) => {
      this.#peers.delete(member.id)
      peer.connection?.close()
      if (member.pid !== undefined) clearPresence(spec.folder, member.pid)
      // One that could not even be asked for is awaited no more.
      for (const { member: mold, launched, molds } of this.all)
        if (!molds?.pending.awaits(launched)) delete mold.askedAt
      onExit(peer, status)
      if (member.role === 'mold') peer.molds?.pending.ended(peer.launched)
    }
    peer.launched = this.#start(peer, { ...spec, id: member.id, token: peer.token }, { started, exited })
    if (peer.launched.pid !== undefined) started(peer.launched.pid)
    return peer
  }

  #start({ member, molds }: Peer, spec: LaunchSpec, events: LaunchEvents): Launched {
    if (member.from === 'disk') {
      return molds && member.role === 'mold' ? molds.launch(spec, events) : this.#launcher.launch(spec, events)
    }
    const mold = this.all.find(({ member: one }) => {
      const wanted = member.parent ?? member.generation
      return one.role === 'mold' && one.generation === wanted && !one.killed && one.state !== 'launching'
    })
    if (mold) mold.member.askedAt ??= member.since
    const send = (message: Downward) => mold?.connection?.send(message)
    const from = mold?.molds ?? molds ?? this.#standbys
    const source = { send, ...(mold?.launched ? { launched: mold.launched } : {}) }
    if (member.role === 'worker' || !spec.base) return from.fork(source, spec, events)
    return this.#standbys.hold(events, (routed) => from.fork(source, spec, routed))
  }

  /** A token opens one connection, once. */
  admit(token: string): Admission<Peer> | undefined {
    const given = Buffer.from(token)
    for (const peer of this.#peers.values()) {
      const own = Buffer.from(peer.token)
      if (own.length !== given.length || !timingSafeEqual(own, given) || peer.connection) continue
      return { role: peer.member.role, peer }
    }
    return undefined
  }

  send(id: number, message: Downward): void {
    this.#peers.get(id)?.connection?.send(message)
  }

  broadcast(message: Downward): void {
    for (const { connection } of this.#peers.values()) connection?.send(message)
  }

  /** @param now monotonic ms, of the same clock as the roster's */
  info({ member, vitals, memory }: Pick<Peer, 'member' | 'vitals' | 'memory'>, now: number): ProcessInfo {
    const { id, role, name, generation, place, state, pid, since, launchedAt, reason, stale } = member
    const { failures } = this.#roster.place(member)
    return {
      id,
      role,
      name,
      generation,
      place,
      state,
      pid,
      age: Math.round(now - launchedAt),
      inState: Math.round(now - since),
      reason: reason ?? stale?.reason,
      failures,
      vitals,
      memory
    }
  }
}

/** The name of a process's event: `worker:exit`, `service:ready`, `mold:launch`. */
export function eventName<What extends string>({ role }: Member, what: What): `${Member['role']}:${What}` {
  return `${role}:${what}`
}

type Timeouts = Pick<Settings, 'bootTimeout' | 'setupTimeout'>

/** What to say of a process that ended without reporting an error. */
export function describeExit(peer: Peer, status: ExitStatus, settings: Timeouts): ErrorData {
  const { error, member } = peer
  const { bootTimeout } = settings
  if (member.role === 'task') return describeTaskEnd(peer, status, settings.setupTimeout)
  if (error) return error
  if (peer.unhealthy && (member.reason ?? member.stale?.reason) === 'unhealthy') return peer.unhealthy
  if (status.error instanceof MapacheError) return errorToData(status.error)
  if (status.error) return plain(`it could not be started: ${status.error.message}`)
  const how = status.signal ? `was ended by ${status.signal}` : `exited with code ${status.code}`
  if (member.reason === 'boot-timeout') {
    const where = peer.connection ? 'its entry has not called listen()' : 'it never reached the supervisor'
    return plain(`it was not ready after ${bootTimeout} ms (${where}); it was ended`)
  }
  if (member.reason === 'hung') {
    return plain(`its event loop was blocked${peer.diagnostic ? ` (see ${peer.diagnostic})` : ''}; it was killed`)
  }
  if (member.servingAt !== undefined) return plain(`it ${how}`)
  if (member.readyAt !== undefined && member.activatedAt === undefined) return plain(`it ${how} while it was held back`)
  const hint = HINTS[String(status.code)]
  return plain(`it ${how} before it was ready${hint && !status.signal ? `: ${hint}` : ''}`)
}

function plain(message: string): ErrorData {
  return { name: 'Error', message, stack: `Error: ${message}` }
}

const HINTS: Readonly<Record<string, string>> = {
  0: 'the entry came to its end without listening',
  13: 'a top-level await was never settled'
}
