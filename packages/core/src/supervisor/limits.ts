import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'

/** What this process may use of the machine. */
export interface MachineLimits {
  /** How many workers run at the same time: at least 1. */
  cpu: number
  /** Bytes. */
  memory: number
}

/** Where the limits are read from; tests have others. */
export interface LimitsReader {
  /** The file's text, or undefined where it is not there or may not be read. */
  read(file: string): string | undefined
  /** CPUs that the system and the cpuset leave. */
  parallelism(): number
  /** The machine's memory, bytes. */
  memory(): number
}

/**
 * Reads how many CPUs and how much memory this process may use: what Node tells, and every cgroup on the way from this
 * process up to the root, version 1 and 2. Node.js 20 knows nothing of a CPU quota, and no Node.js of a quota that a
 * group further up has. A part of a CPU does not count, as in libuv.
 */
export function readLimits(reader: LimitsReader = SYSTEM): MachineLimits {
  const limits = { cpu: reader.parallelism(), memory: reader.memory() }
  const mounts = mountsOf(reader.read('/proc/self/mountinfo') ?? '')
  for (const { id, controllers, group } of groupsOf(reader.read('/proc/self/cgroup') ?? '')) {
    for (const mount of mounts) {
      const isTwo = id === '0' && mount.type === 'cgroup2'
      const isOne = mount.type === 'cgroup' && controllers.some((name) => mount.options.includes(name))
      if (!isTwo && !isOne) continue
      for (const folder of upwards(mount, group)) {
        const [quota, memory] = isTwo ? two(reader, folder) : one(reader, folder)
        if (quota !== undefined) limits.cpu = Math.min(limits.cpu, Math.floor(quota))
        if (memory !== undefined) limits.memory = Math.min(limits.memory, memory)
      }
    }
  }
  return { cpu: Math.max(1, limits.cpu), memory: limits.memory }
}

/** How many workers run at the same time here: what `'auto'` is. */
export function parallelism(): number {
  return readLimits().cpu
}

type Found = [quota: number | undefined, memory: number | undefined]

function two(reader: LimitsReader, folder: string): Found {
  const [quota, period] = (reader.read(path.posix.join(folder, 'cpu.max')) ?? '').trim().split(' ')
  return [share(quota, period), positive(reader.read(path.posix.join(folder, 'memory.max')))]
}

function one(reader: LimitsReader, folder: string): Found {
  const quota = reader.read(path.posix.join(folder, 'cpu.cfs_quota_us'))
  const period = reader.read(path.posix.join(folder, 'cpu.cfs_period_us'))
  return [share(quota, period), positive(reader.read(path.posix.join(folder, 'memory.limit_in_bytes')))]
}

/** `max` of version 2 and -1 of version 1 are no limit. */
function share(quota: string | undefined, period: string | undefined): number | undefined {
  const [part, whole] = [positive(quota), positive(period)]
  return part === undefined || whole === undefined ? undefined : part / whole
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text?.trim() || Number.NaN)
  return value > 0 ? value : undefined
}

interface Mount {
  /** The group that is mounted, and where. */
  root: string
  point: string
  type: string
  options: readonly string[]
}

function mountsOf(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', point = ''] = before.split(' ')
    const [type = '', , options = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    return [{ root: unescaped(root), point: unescaped(point), type, options: options.split(',') }]
  })
}

/** The lines of /proc/self/cgroup: `4:memory:/some/group`, and `0::/some/group` for version 2. */
function groupsOf(text: string): { id: string; controllers: string[]; group: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, id = '', controllers = '', group = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    return group === '' ? [] : [{ id, controllers: controllers.split(','), group }]
  })
}

/** The folders from a group's own up to the mount's. In a container the mount may begin below what the group is told from. */
function upwards({ root, point }: Mount, group: string): string[] {
  const inside = path.posix.relative(root, group)
  const parts = inside.startsWith('..') ? [] : inside.split('/').filter((part) => part !== '')
  return [...parts.keys(), parts.length].reverse().map((depth) => path.posix.join(point, ...parts.slice(0, depth)))
}

/** The kernel writes spaces and the like in octal. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

const SYSTEM: LimitsReader = {
  read(file) {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return undefined
    }
  },
  parallelism: availableParallelism,
  memory: totalmem
}
