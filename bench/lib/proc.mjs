import { readdirSync, readFileSync } from 'node:fs'

// USER_HZ is 100 on every Linux that Node runs on.
const TICKS_PER_SECOND = 100

/** CPU time that a process has used so far, in ms, from /proc/PID/stat (steps of 10 ms). NaN where there is no /proc. */
export function cpuTime(pid) {
  const stat = read(pid, 'stat')
  if (stat === undefined) return Number.NaN
  // The name, in parentheses, may hold spaces; the fields are counted from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
}

/** Resident memory of a process in MB: what it maps, and its proportional share of what others map too. */
export function memory(pid) {
  return {
    rss: kilobytes(read(pid, 'status'), 'VmRSS') / 1024,
    pss: kilobytes(read(pid, 'smaps_rollup'), 'Pss') / 1024
  }
}

/** Whether a process is there and more than a zombie. */
export function isRunning(pid) {
  const stat = read(pid, 'stat')
  if (stat !== undefined) return stat[stat.lastIndexOf(')') + 2] !== 'Z'
  if (process.platform === 'linux') return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The processes that were started with this setting in their environment, theirs included. Linux only. */
export function startedWith(setting) {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && read(name, 'environ')?.split('\0').includes(setting))
    .map(Number)
    .filter((pid) => pid !== process.pid && isRunning(pid))
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

function kilobytes(text, name) {
  return Number(text?.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1] ?? Number.NaN)
}
