import type { EndReason } from '../cluster/roster.js'
import { identity } from '../log.js'
import { writeReport } from './diagnose-folder.js'
import { type Frame, forkedStackOf, stackOf, stackText } from './diagnose-stack.js'
import { type SystemReport, systemReport } from './diagnose-system.js'
import { stackPath } from './folder.js'
import type { Peer } from './processes.js'
import type { Supervisor } from './supervisor.js'

/** What is written about a process that is killed because it hung. */
export interface Report {
  version: 1
  /** ISO 8601. */
  at: string
  reason: EndReason
  cluster: string
  process: { role: string; name: string; id: number; generation: number; place: number; pid: number }
  /** Milliseconds since its launch, and since its last sign of life. */
  age: number
  silentFor: number
  vitals: Peer['vitals'] | null
  memory: Peer['memory'] | null
  /** Where its JavaScript was, or why that is not known. */
  stack: { text: string; frames: Frame[] } | { unavailable: string }
  system: SystemReport
}

/** Ends processes; of one that hung it is found out first where it does. */
export class Diagnoses {
  readonly #running = new Set<() => void>()

  /** Kills a process, at once or as soon as there is a report about it; never later than `DEADLINE`. */
  kill(supervisor: Supervisor, peer: Peer, reason: EndReason): void {
    const pid = peer.member.pid
    // New code waits for the end of one that does not hand on what it gets.
    const urgent =
      !DIAGNOSED.has(reason) || peer.member.forwardSince !== undefined || supervisor.plan.stopping === 'now'
    if (urgent || pid === undefined || process.platform !== 'linux') return void peer.launched?.kill('SIGKILL')
    const limit = new AbortController()
    const end = () => {
      if (!this.#running.delete(end)) return
      clearTimeout(timer)
      // Ahead of the rest: whatever becomes of the report, this process is killed.
      if (peer.member.state !== 'exited') peer.launched?.kill('SIGKILL')
      limit.abort()
    }
    const timer = setTimeout(end, DEADLINE)
    this.#running.add(end)
    void diagnose(supervisor, peer, pid, reason, limit.signal)
      .catch((err) => supervisor.log.warn({ err }, `${identity(peer.member)}: nothing could be written about it`))
      .finally(end)
  }

  /** What is killed is killed now. */
  stop(): void {
    for (const end of [...this.#running]) end()
  }
}

async function diagnose(
  { log, clock, parts, settings }: Supervisor,
  peer: Peer,
  pid: number,
  reason: EndReason,
  signal: AbortSignal
): Promise<void> {
  const { member, vitals = null, memory = null } = peer
  const { role, name, id, generation, place } = member
  const now = clock.now()
  const at = new Date().toISOString()
  const about = {
    version: 1,
    at,
    reason,
    cluster: parts.name,
    process: { role, name, id, generation, place, pid }
  } as const
  const times = { age: Math.round(now - member.launchedAt), silentFor: Math.round(now - member.seenAt) }
  // First as it is: the inspector would change it.
  const system = await within(systemReport(pid), SYSTEM, {})
  const forked = member.from === 'mold' ? stackPath(parts.folder.path, pid) : undefined
  const stack = await stackFor(pid, forked, system, reason, signal)
  const report: Report = { ...about, ...times, vitals, memory, stack, system }
  const file = `${at.replace(/[-:.]/g, '')}-${reason}-${role}-${id}-${pid}.json`
  const text = `${JSON.stringify(report, null, 2)}\n`
  if (signal.aborted) throw new Error('it took too long')
  const written = await within(writeReport(settings.diagnostics, parts.name, file, text), WRITE, undefined)
  if (written === undefined) throw new Error('its file took too long')
  peer.diagnostic = written
  const where = 'unavailable' in stack ? stack.unavailable : `it was ${placeOf(stack.frames)}`
  log.error(`${identity(member)}: ${where}; more in ${peer.diagnostic}`)
}

async function stackFor(
  pid: number,
  forked: string | undefined,
  { wchan }: SystemReport,
  reason: EndReason,
  signal: AbortSignal
): Promise<Report['stack']> {
  if (wchan !== undefined && IDLE.has(wchan)) {
    // One that is silent and waits for events does so in a loop of its own, as execSync has it.
    const hung = 'it runs no JavaScript: a synchronous call, such as execSync, waits'
    return { unavailable: reason === 'hung' ? hung : 'its loop is not blocked, it waits for something' }
  }
  // Not by AbortSignal.any and .timeout: what they make may be collected with its timer while somebody waits for it.
  const limit = new AbortController()
  const abort = () => limit.abort()
  const timer = setTimeout(abort, STACK)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const frames = await (forked ? forkedStackOf(pid, forked, limit.signal) : stackOf(pid, limit.signal))
    return { text: stackText(frames), frames }
  } catch (error) {
    return { unavailable: (error as Error).message }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function placeOf([first]: readonly Frame[]): string {
  return first ? `in ${first.function} (${first.file}:${first.line}:${first.column})` : 'in no JavaScript'
}

/** What comes of the work, or what there is to take instead after so many ms. */
async function within<Value>(work: Promise<Value>, time: number, instead: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Value>((resolve) => {
    timer = setTimeout(resolve, time, instead)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const DIAGNOSED: ReadonlySet<EndReason> = new Set<EndReason>(['hung', 'boot-timeout'])
/** Where a thread waits that has nothing to do. */
const IDLE: ReadonlySet<string> = new Set(['ep_poll', 'do_epoll_wait'])
/** All of it may take so long, ms: the process is of no use meanwhile, and its place not filled. */
const DEADLINE = 2_000
const SYSTEM = 400
const STACK = 1_100
const WRITE = 400
