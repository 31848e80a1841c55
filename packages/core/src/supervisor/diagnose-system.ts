import { readdir, readFile, readlink } from 'node:fs/promises'

/** What the system knows of a process. What it does not tell, or not to this user, is left out. */
export interface SystemReport {
  /** `/proc/PID/status`, line by line. */
  status?: Record<string, string>
  /** Where in the kernel it waits, if it does. */
  wchan?: string
  /** Its system call, with arguments, or `running`. */
  syscall?: string
  /** The kernel's stack. Only root is told. */
  stack?: string
  threads?: { id: number; name: string; state: string; wchan?: string }[]
  /** How many descriptors are open, by what they are. */
  descriptors?: Record<string, number>
  /** `/proc/PID/smaps_rollup`, bytes. */
  memory?: Record<string, number>
}

/** Reads what Linux tells of a process; elsewhere nothing. */
export async function systemReport(pid: number): Promise<SystemReport> {
  const of = async <Value>(name: keyof SystemReport, read: () => Promise<Value | undefined>) => {
    const value = await read().catch(() => undefined)
    return value === undefined ? [] : [[name, value]]
  }
  const entries = await Promise.all([
    of('status', async () => fieldsOf(await proc(pid, 'status'))),
    of('wchan', () => waitingIn(pid, 'wchan')),
    of('syscall', () => proc(pid, 'syscall')),
    of('stack', () => proc(pid, 'stack')),
    of('threads', () => threadsOf(pid)),
    of('descriptors', () => descriptorsOf(pid)),
    of('memory', async () => bytesIn(await proc(pid, 'smaps_rollup')))
  ])
  return Object.fromEntries(entries.flat()) as SystemReport
}

/** Whether somebody in the process handles SIGUSR1: Node does, unless it was told not to. Else it would end the process. */
export async function catchesSigusr1(pid: number): Promise<boolean> {
  try {
    const { SigCgt = '0' } = fieldsOf(await proc(pid, 'status'))
    return (BigInt(`0x${SigCgt}`) & (1n << BigInt(SIGUSR1 - 1))) !== 0n
  } catch {
    return false
  }
}

/** The TCP ports on which a process listens. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const [own, table] = await Promise.all([linksOf(pid), proc(pid, 'net/tcp')])
  return portsIn(table, new Set(own.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])))
}

/**
 * The ports of those listening sockets in the text of `/proc/PID/net/tcp` that have one of the inodes: that table is of the
 * whole network namespace.
 */
export function portsIn(table: string, inodes: ReadonlySet<string>): number[] {
  return table.split('\n').flatMap((line) => {
    const [, address = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    if (state !== LISTENING || !inodes.has(inode)) return []
    return [Number.parseInt(address.split(':')[1] ?? '', 16)]
  })
}

/** `Name: value` in lines. */
export function fieldsOf(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name, value]) => [name, value])) as Record<
    string,
    string
  >
}

function bytesIn(text: string): Record<string, number> {
  const fields = Object.entries(fieldsOf(text)).filter(([, value]) => / kB$/.test(value))
  return Object.fromEntries(fields.map(([name, value]) => [name, Number.parseInt(value, 10) * 1_024]))
}

async function threadsOf(pid: number): Promise<SystemReport['threads']> {
  const ids = (await readdir(`/proc/${pid}/task`)).slice(0, MOST_THREADS)
  const threads = ids.map(async (id) => {
    const [stat, wchan] = await Promise.all([
      proc(pid, `task/${id}/stat`),
      waitingIn(pid, `task/${id}/wchan`).catch(() => undefined)
    ])
    const [, name = '', state = ''] = /^\d+ \((.*)\) (\S)/s.exec(stat) ?? []
    return { id: Number(id), name, state, ...(wchan === undefined ? {} : { wchan }) }
  })
  const settled = await Promise.allSettled(threads)
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

async function descriptorsOf(pid: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = { total: 0 }
  for (const link of await linksOf(pid)) {
    const kind = /^(socket|pipe|anon_inode):/.exec(link)?.[1] ?? 'file'
    counts[kind] = (counts[kind] ?? 0) + 1
    counts.total = (counts.total ?? 0) + 1
  }
  return counts
}

async function linksOf(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.allSettled(names.map((name) => readlink(`/proc/${pid}/fd/${name}`)))
  return links.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
}

/** `0` is nowhere, or not told. */
async function waitingIn(pid: number, file: string): Promise<string | undefined> {
  const where = await proc(pid, file)
  return where === '0' || where === '' ? undefined : where
}

async function proc(pid: number, file: string): Promise<string> {
  return (await readFile(`/proc/${pid}/${file}`, 'utf8')).trim()
}

const SIGUSR1 = 10
/** TCP_LISTEN, as the kernel prints it. */
const LISTENING = '0A'
const MOST_THREADS = 200
