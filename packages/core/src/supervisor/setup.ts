import { realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chooseEnd, type EndReason, type Member } from '../cluster/roster.js'
import { mayWantSetup } from '../cluster/setup.js'
import type { ProcessInfo } from '../cluster.js'
import { type ErrorData, errorFromData, errorToData, MapacheError } from '../errors.js'
import { identity } from '../log.js'
import { findModuleFile } from '../module-file.js'
import { TASKS, type TaskName, type Tasks } from '../setup.js'
import type { EntrySource } from './entry.js'
import { announce } from './events.js'
import type { ExitStatus } from './launch/launcher.js'
import type { Peer } from './processes.js'
import { refuse } from './refuse.js'
import { setupFailure, teardownFailure } from './requests.js'
import type { Supervisor } from './supervisor.js'

/** How a task has ended, as far as it is known by then. */
interface TaskEnd {
  before: ProcessInfo
  reason: EndReason
  failed: boolean
  code: number | null
  signal: string | null
  error: ErrorData
}

export function isSetup({ role, name }: Pick<Member, 'role' | 'name'>): boolean {
  return role === 'task' && name === 'setup'
}

/**
 * The tasks that are modules, of a cluster whose supervisor does not have the app's code.
 * @param instead what to do in place of giving a function
 * @throws MAPACHE_OPTION_INVALID for a function, which cannot reach the process of the task
 */
export function tasksFromOutside(tasks: Tasks, instead: string): Tasks {
  for (const name of TASKS) {
    if (typeof tasks[name] !== 'function') continue
    const text = `${name}: the function cannot reach the process that runs it from here; ${instead}`
    throw new MapacheError('MAPACHE_OPTION_INVALID', text)
  }
  return { setup: tasks.setup, teardown: tasks.teardown }
}

/**
 * Finds the modules of tasks, for one generation: symlinks are resolved now, as those of the entry are.
 * @throws MAPACHE_ENTRY_MISSING when one does not exist
 */
export function pinTasks({ tasks, cwd }: EntrySource): Partial<Record<TaskName, string>> {
  const pinned: Partial<Record<TaskName, string>> = {}
  for (const name of TASKS) {
    const given = tasks?.[name]
    if (given === undefined) continue
    const file = findModuleFile(given, cwd)
    if (file === undefined) throw new MapacheError('MAPACHE_ENTRY_MISSING', `${name}: ${String(given)} does not exist`)
    pinned[name] = pathToFileURL(realpathSync(file)).href
  }
  return pinned
}

/** A worker or a mold found a set-up in its code, and leaves: it comes back when that has run. */
export function takeSetupWanted(supervisor: Supervisor, peer: Peer): void {
  const { member } = peer
  if (member.state !== 'launching') return refuse(supervisor, peer, `setup-wanted while ${member.state}`)
  chooseEnd(member, 'unwanted')
  const { generation } = member
  if (mayWantSetup(supervisor.plan, generation))
    supervisor.log.info(`gen=${generation} brings a setup, which runs first`)
  supervisor.apply({ type: 'setup-wanted', generation })
}

/** Takes note of a task that has ended. */
export function takeTaskExit(supervisor: Supervisor, peer: Peer, end: TaskEnd): void {
  const { log } = supervisor
  const { member } = peer
  const { generation, name } = member
  const { reason, failed, code, signal } = end
  const how = signal ?? (code === null ? 'not started' : `code ${code}`)
  const duration = end.before.age
  const who = identity(member)
  const cause = errorFromData(end.error)
  if (failed) log.error({ err: cause }, `${who} failed (${reason}, ${how}): ${cause.message.split('\n', 1)[0]}`)
  else if (peer.task === 'none') log.info(`${who}: the code brings none`)
  else log.info(reason === 'done' ? `${who} done after ${duration} ms` : `${who} exited (${reason}, ${how})`)

  const because = failed ? { error: cause } : {}
  announce(supervisor, 'task:exit', {
    ...end.before,
    state: 'exited',
    reason,
    failed,
    code,
    signal,
    drained: undefined,
    ...because
  })
  if (isSetup(member) && failed) {
    announce(supervisor, 'setup:failed', { generation, error: setupFailure(generation, cause) })
  } else if (isSetup(member) && reason === 'done') {
    announce(supervisor, 'setup:done', { generation, duration })
  } else if (failed) {
    const error = teardownFailure(cause)
    log.error({ err: error }, error.message)
    supervisor.endBadly()
  }
  supervisor.apply({
    type: 'task-ended',
    name,
    generation,
    outcome: failed ? 'failed' : peer.task === 'done' ? 'done' : 'none',
    timedOut: reason === 'setup-timeout',
    error: end.error
  })
}

/** What to say of a task that ended before it was done. */
export function describeTaskEnd({ error, member }: Peer, status: ExitStatus, setupTimeout: number): ErrorData {
  if (member.reason === 'setup-timeout') {
    const cause = error === undefined ? {} : { cause: errorFromData(error) }
    return plain(new Error(`it was not done within setupTimeout, which is ${setupTimeout} ms`, cause))
  }
  if (error) return error
  if (status.error instanceof MapacheError) return errorToData(status.error)
  if (status.error) return plain(new Error(`it could not be started: ${status.error.message}`))
  const how = status.signal ? `was ended by ${status.signal}` : `exited with code ${status.code}`
  return plain(new Error(`it ${how} before it was done${HINTS[String(status.code)] ?? ''}`))
}

/** An error of Mapache's own, whose stack says nothing to the app's author. */
function plain(error: Error): ErrorData {
  return { ...errorToData(error), stack: `${error.name}: ${error.message}` }
}

const HINTS: Readonly<Record<string, string>> = {
  0: ': process.exit() was called, or the entry came to its end without listening',
  13: ': a top-level await was never settled'
}
