import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface ProcessName {
  role: string
  pid: number
  generation?: number | undefined
}

/** Bytes of a process. What the system does not tell, or of a process that has ended, is undefined. */
export interface Memory {
  /** Its share: pages that several processes have in common count for each by its part. */
  pss?: number | undefined
  /** What it alone has: this is what ending it would free. */
  own?: number | undefined
  /** All that it has in memory, shared pages in full. */
  rss?: number | undefined
}

export type ProcessMemory = ProcessName & Memory

/** Reads the memory of processes: all three figures on Linux, elsewhere RSS alone. Never rejects. */
export function readMemory(processes: readonly ProcessName[]): Promise<ProcessMemory[]> {
  return Promise.all(processes.map(async (name) => ({ ...name, ...(await memoryOf(name.pid)) })))
}

async function memoryOf(pid: number): Promise<Memory> {
  try {
    if (process.platform === 'linux') return parseRollup(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)], { timeout: LONGEST })
    const rss = Number.parseInt(stdout, 10)
    return Number.isNaN(rss) ? {} : { rss: rss * 1024 }
  } catch {
    return {}
  }
}

/** Reads the text of /proc/PID/smaps_rollup. */
export function parseRollup(text: string): Memory {
  const field = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)
    return match ? Number(match[1]) * 1024 : undefined
  }
  const clean = field('Private_Clean')
  const dirty = field('Private_Dirty')
  const own = clean === undefined || dirty === undefined ? undefined : clean + dirty + (field('Private_Hugetlb') ?? 0)
  return { pss: field('Pss'), own, rss: field('Rss') }
}

/** Milliseconds that ps may take. */
const LONGEST = 2_000
