import type { BoundAddress, ClusterStatus, Crash, ProcessInfo, ScalingStatus } from '@mapache/core'
import { soakLine } from './canary-lines.js'
import { formatBytes, formatCount, formatDuration, formatShare, plural, UNKNOWN } from './format.js'
import { generationName, identity, roleName, stateName } from './identity.js'
import type { Look } from './look.js'
import { plainData } from './plain.js'
import { type Column, table } from './text.js'

/**
 * A cluster's status for people: what it is and where, then a table of its processes, and what ended badly last.
 * @param now ms since 1970
 */
export function statusLines(given: ClusterStatus, look: Look, now: number): string[] {
  const status = plainData(given)
  const rows = inOrder(status.processes).map((info) => cellsOf(info, look))
  const lines = [...headLines(status, look, now), '', ...paintTitles(table(COLUMNS, rows), look)]
  return [...lines, ...crashLines(status, look, now)]
}

/** What the cluster is, in two lines, and one more for each thing that is not as always. */
export function headLines(given: ClusterStatus, look: Look, now: number): string[] {
  const status = plainData(given)
  const { name, pid, generation, serving, target, spare, version, startedAt } = status
  const spares = spare.ready > 0 ? `, ${plural(spare.ready, 'spare')}` : ''
  const workers = `${serving}/${target} workers serve${spares}`
  const about = [
    look.bold(name),
    `pid ${pid}`,
    `generation ${generation}`,
    serving < target ? look.yellow(workers) : look.green(workers),
    `up ${formatDuration(now - startedAt)}`,
    `mapache ${version}`
  ]
  return [about.join('  '), ...whereLines(status), ...unusualLines(status, look)]
}

/** What is not as always: a range to scale in, a roll, a stop, places that wait. */
export function unusualLines(status: ClusterStatus, look: Look): string[] {
  const { roll, stopping, waiting, services, scaling } = status
  const lines = scaling ? [scalingLine(scaling, look)] : []
  if (roll) {
    const soak = roll.canary ? `, ${soakLine(roll.canary)}` : ''
    lines.push(look.cyan(`${roll.kind} to generation ${roll.generation}: ${roll.phase}${soak}`))
  }
  if (stopping) lines.push(look.yellow('it is stopping'))
  if (waiting > 0) {
    const waits = waiting === 1 ? 'waits' : 'wait'
    lines.push(look.red(`${plural(waiting, 'worker')} ${waits} to be launched again after failures; see mapache log`))
  }
  for (const { name, target, serving, waiting } of services.filter((one) => one.serving < one.target)) {
    const why = waiting > 0 ? ': it waits to be launched again after failures; see mapache log' : ''
    lines.push(look[waiting > 0 ? 'red' : 'yellow'](`service ${name}: ${serving} of ${target} at work${why}`))
  }
  return lines
}

function scalingLine({ min, max, most, limitedBy, pinned }: ScalingStatus, look: Look): string {
  const why = limitedBy === 'memory' ? 'no more fit into the memory' : 'no more run at the same time here'
  const limit = limitedBy === undefined ? '' : `, now ${most} at the most: ${why}`
  const range = `${min} to ${plural(max, 'worker')} by the load${limit}`
  return pinned ? look.yellow(`${range}; set by hand until mapache scale auto`) : range
}

/** The last bad ends, newest first. An older supervisor does not tell. */
function crashLines({ crashes = [] }: Partial<Pick<ClusterStatus, 'crashes'>>, look: Look, now: number): string[] {
  const lines = crashes.slice(0, MOST_CRASHES).flatMap((crash) => {
    const { at, times, diagnostic } = crash
    const often = times > 1 ? ` (${times} times in a row)` : ''
    const line = `  ${formatDuration(Math.max(0, now - at))} ago  ${crashName(crash)}${often}`
    return diagnostic === undefined ? [line] : [line, look.dim(`    more in ${diagnostic}`)]
  })
  return lines.length === 0 ? [] : ['', look.red('ended badly:'), ...lines]
}

function crashName({ reason, message, frame, ...who }: Crash): string {
  return `${identity({ ...who, pid: undefined })} ${reason}: ${message}${frame ? ` at ${frame}` : ''}`
}

function whereLines({ addresses, rollback }: ClusterStatus): string[] {
  const where = addresses.length === 0 ? 'does not listen yet' : `listens on ${addresses.map(addressName).join(', ')}`
  return [rollback === undefined ? where : `${where}; can go back to generation ${rollback}`]
}

function addressName(address: BoundAddress): string {
  if ('path' in address) return address.path
  return `${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

/** Workers first, then services, molds and tasks; each by their numbers. */
export function inOrder(processes: readonly ProcessInfo[]): ProcessInfo[] {
  return [...processes].sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.id - b.id)
}

function cellsOf(info: ProcessInfo, look: Look): string[] {
  const { id, generation, age, vitals, memory, pid, failures, state, reason } = info
  const shown = vitals?.healthy === false ? `${stateName(info)} (unhealthy)` : stateName(info)
  return [
    String(id),
    roleName(info),
    paintState(reason === undefined || state !== 'retiring' ? shown : `${shown} (${reason})`, state, look),
    generation < 0 ? generationName(generation) : String(generation),
    formatDuration(age),
    formatCount(vitals?.requests),
    formatCount(vitals?.inFlight),
    formatShare(vitals?.utilisation),
    formatBytes(memory?.pss ?? vitals?.rss),
    formatBytes(memory?.own),
    pid === undefined ? UNKNOWN : String(pid),
    failures > 0 ? look.red(String(failures)) : '0'
  ]
}

/** The colour of a state. */
export function paintState(text: string, state: ProcessInfo['state'], look: Look): string {
  if (state === 'serving') return look.green(text)
  if (state === 'launching') return look.cyan(text)
  return state === 'retiring' ? look.yellow(text) : look.dim(text)
}

function paintTitles([titles = '', ...rows]: string[], look: Look): string[] {
  return [look.dim(titles), ...rows]
}

const MOST_CRASHES = 3
const ROLES: readonly ProcessInfo['role'][] = ['worker', 'service', 'mold', 'task']
const COLUMNS: readonly Column[] = [
  { title: 'ID', side: 'right' },
  { title: 'ROLE' },
  { title: 'STATE' },
  { title: 'GEN', side: 'right' },
  { title: 'AGE', side: 'right' },
  { title: 'REQUESTS', side: 'right' },
  { title: 'IN FLIGHT', side: 'right' },
  { title: 'LOOP', side: 'right' },
  { title: 'MEMORY', side: 'right' },
  { title: 'OWN', side: 'right' },
  { title: 'PID', side: 'right' },
  { title: 'FAILURES', side: 'right' }
]
