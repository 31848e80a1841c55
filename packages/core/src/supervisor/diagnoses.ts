import type { EndReason } from '../cluster/roster.js'
import { identity } from '../log.js'
import { writeReport } from './diagnose-folder.js'
import { type Frame, stackOf, stackText } from './diagnose-stack.js'
import { type SystemReport, systemReport } from './diagnose-system.js'
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
  readonly #running = new Set<AbortController>()

  /** Kills a process, at once or as soon as there is a report about it. */
  kill(supervisor: Supervisor, peer: Peer, reason: EndReason): void {
    const pid = peer.member.pid
    const kill = () => peer.launched?.kill('SIGKILL')
    // New code waits for the end of one that does not hand on what it gets.
    const urgent = !DIAGNOSED.has(reason) || peer.member.forwardSince !== undefined
    if (urgent || pid === undefined || process.platform !== 'linux') return kill()
    const running = new AbortController()
    this.#running.add(running)
    const deadline = AbortSignal.any([running.signal, AbortSignal.timeout(DEADLINE)])
    void diagnose(supervisor, peer, pid, reason, deadline)
      .catch((err) => supervisor.log.warn({ err }, `${identity(peer.member)}: nothing could be written about it`))
      .finally(() => {
        this.#running.delete(running)
        kill()
      })
  }

  /** What is killed is killed now. */
  stop(): void {
    for (const running of this.#running) running.abort()
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
  const system = await before(systemReport(pid), signal, {})
  const stack = await stackFor(peer, pid, system, reason, signal)
  const report: Report = { ...about, ...times, vitals, memory, stack, system }
  const file = `${at.replace(/[-:.]/g, '')}-${reason}-${role}-${id}-${pid}.json`
  const text = `${JSON.stringify(report, null, 2)}\n`
  peer.diagnostic = await before(writeReport(settings.diagnostics, parts.name, file, text), AbortSignal.timeout(WRITE))
  const where = 'unavailable' in stack ? stack.unavailable : `it was ${placeOf(stack.frames)}`
  log.error(`${identity(member)}: ${where}; more in ${peer.diagnostic}`)
}

async function stackFor(
  { member }: Peer,
  pid: number,
  { wchan }: SystemReport,
  reason: EndReason,
  signal: AbortSignal
): Promise<Report['stack']> {
  if (wchan !== undefined && IDLE.has(wchan)) {
    // One that is silent and waits for events does so in a loop of its own, as execSync has it.
    const hung = 'it runs no JavaScript: a synchronous call, such as execSync, waits'
    return { unavailable: reason === 'hung' ? hung : 'its loop is not blocked, it waits for something' }
  }
  if (member.from === 'mold')
    return { unavailable: 'a forked process has no inspector that could be asked for its stack' }
  try {
    const frames = await stackOf(pid, AbortSignal.any([signal, AbortSignal.timeout(STACK)]))
    return { text: stackText(frames), frames }
  } catch (error) {
    return { unavailable: (error as Error).message }
  }
}

function placeOf([first]: readonly Frame[]): string {
  return first ? `in ${first.function} (${first.file}:${first.line}:${first.column})` : 'in no JavaScript'
}

/** @throws the signal's reason, unless there is something to take instead */
async function before<Value>(work: Promise<Value>, signal: AbortSignal, instead?: Value): Promise<Value> {
  const late = new Promise<Value>((resolve, reject) => {
    const over = () => (instead === undefined ? reject(signal.reason) : resolve(instead))
    if (signal.aborted) over()
    else signal.addEventListener('abort', over, { once: true })
  })
  return Promise.race([work, late])
}

const DIAGNOSED: ReadonlySet<EndReason> = new Set<EndReason>(['hung', 'boot-timeout'])
/** Where a thread waits that has nothing to do. */
const IDLE: ReadonlySet<string> = new Set(['ep_poll', 'do_epoll_wait'])
/** All of it may take so long, ms: the process is of no use meanwhile, and its place not filled. */
const DEADLINE = 2_000
const STACK = 1_500
/** The file, ms. */
const WRITE = 500
