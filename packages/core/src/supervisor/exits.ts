import { chooseEnd } from '../cluster/roster.js'
import { errorFromData } from '../errors.js'
import { identity } from '../log.js'
import { noteBadEnd, tellOfStorm } from './crashes.js'
import { announce } from './events.js'
import type { ExitStatus } from './launch/launcher.js'
import { describeExit, eventName, type Peer } from './processes.js'
import { takeTaskExit } from './setup.js'
import type { Supervisor } from './supervisor.js'

/** Takes note of a process that has ended: in the roster, the log, an event, and the plan. */
export function takeExit(supervisor: Supervisor, peer: Peer, status: ExitStatus): void {
  const { roster, settings, processes, log, clock } = supervisor
  const { member, drained } = peer
  const now = clock.now()
  const before = processes.info(peer, now)
  const excused = (status.error as { code?: unknown } | undefined)?.code === 'MAPACHE_FORK_FAILED'
  if (excused) chooseEnd(member, 'fork-failed')
  if (status.released) chooseEnd(member, 'released')
  if (peer.task !== undefined && status.code === 0) chooseEnd(member, 'done')
  const { workers } = supervisor.plan.settings
  const { reason, failed, storm } = roster.exited(member, now, settings.backoff, Math.random(), workers)
  const error = describeExit(peer, status, settings)
  const { code, signal } = status
  const how = signal ?? (code === null ? 'not started' : `code ${code}`)
  const who = identity(member)
  if (member.role === 'task') return takeTaskExit(supervisor, peer, { before, reason, failed, code, signal, error })
  if (failed) supervisor.canary.crashed(peer)
  if (failed) logFailure(supervisor, `${who} ended (${reason}, ${how})`, error)
  else log.info(`${who} exited (${reason}${code === 0 ? '' : `, ${how}`})`)
  const { failures, notBefore } = roster.place(member, now)
  if (failed && failures > 1) {
    const wait = Math.max(0, Math.round(notBefore - now))
    log.warn(`${who}: ${failures} failures in a row in place ${member.place}; next launch in ${wait} ms`)
  }
  if (failed) noteBadEnd(supervisor, peer, reason, status, error)
  if (storm !== undefined) tellOfStorm(supervisor, member.generation, storm)
  const ended = { state: 'exited', reason, failed, code, signal, drained } as const
  const because = failed ? { error: errorFromData(error) } : {}
  supervisor.scaling.ended(member, failed)
  supervisor.recycles.exited(member, failed, failures, settings.bootAttempts, error)
  announce(supervisor, eventName(member, 'exit'), { ...before, failures, ...ended, ...because })
  supervisor.apply({
    type: 'exited',
    id: member.id,
    role: member.role,
    generation: member.generation,
    failed,
    failures,
    served: member.servingAt !== undefined,
    timedOut: reason === 'boot-timeout',
    // One that nobody wanted any more says nothing of its code.
    excused: excused || reason === 'unwanted',
    ...(member.fallback ? { fallback: true } : {}),
    error
  })
  if (member.role === 'service') supervisor.releaseUnusedOf(member.name)
}

/** The same error of several workers is printed whole once, then in one line. */
function logFailure(supervisor: Supervisor, text: string, error: ReturnType<typeof describeExit>): void {
  const said = error.message.split('\n', 1)[0]
  if (supervisor.lastFailure === error.stack) supervisor.log.error(`${text}: ${said}, as before`)
  else supervisor.log.error({ err: errorFromData(error) }, `${text}: ${said}`)
  supervisor.lastFailure = error.stack
}
