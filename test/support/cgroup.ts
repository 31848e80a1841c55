import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { until } from './fixture.js'

/** A group of the kernel that a test may put processes in. */
export interface Group {
  folder: string
  /** An argument for Node that puts its process there, ahead of everything else; its children follow. */
  enter: string
  /** Removes it, once no process is left in it. */
  remove(): Promise<void>
}

let made = 0

/**
 * Makes a group with a limit.
 * @param controller whose limit: `cpu` in CPUs, or `memory` in bytes
 * @returns why there is none, where none can be made
 */
export function makeGroup(controller: 'cpu' | 'memory', limit: number): Group | string {
  const mounts = process.platform === 'linux' ? readFileSync('/proc/self/mountinfo', 'utf8').split('\n') : []
  const points = mounts.flatMap((line) => {
    const isTwo = line.includes(' - cgroup2 ')
    const isOne = / - cgroup .*/.exec(line)?.[0].split(/[ ,]/).includes(controller)
    return isTwo || isOne ? [line.split(' ')[4] as string] : []
  })
  const reasons = points.map((point) =>
    make(path.join(point, `mapache-test-${process.pid}-${++made}`), controller, limit)
  )
  return reasons.find((one) => typeof one === 'object') ?? (reasons.join('; ') || 'there are no groups here')
}

function make(folder: string, controller: 'cpu' | 'memory', limit: number): Group | string {
  try {
    mkdirSync(folder)
  } catch (error) {
    return (error as Error).message
  }
  for (const [file, text] of FILES[controller](limit)) {
    try {
      writeFileSync(path.join(folder, file), text)
    } catch {
      // The other version's, or a controller that is not given to this group.
      continue
    }
    const code = `import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(path.join(folder, 'cgroup.procs'))}, String(process.pid))`
    return {
      folder,
      enter: `--import=data:text/javascript,${encodeURIComponent(code)}`,
      remove: () => removed(folder)
    }
  }
  rmdirSync(folder)
  return `a group in ${path.dirname(folder)} has no ${controller} controller`
}

/** The kernel may still be busy with those that have just ended. */
async function removed(folder: string): Promise<void> {
  await until(() => {
    try {
      rmdirSync(folder)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
      return false
    }
  }, `the end of ${folder}`)
}

const FILES: Readonly<Record<'cpu' | 'memory', (limit: number) => [file: string, text: string][]>> = {
  cpu: (cpus) => [
    ['cpu.cfs_quota_us', String(cpus * 100_000)],
    ['cpu.max', `${cpus * 100_000} 100000`]
  ],
  memory: (bytes) => [
    ['memory.limit_in_bytes', String(bytes)],
    ['memory.max', String(bytes)]
  ]
}
