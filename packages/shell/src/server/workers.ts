import type { ProcessInfo } from '@mapache/core'
import { type Command, UsageError } from './command.js'
import { table } from './text.js'

export const workerInfo: Command = {
  name: 'worker info',
  usage: '',
  summary: 'how many workers serve, should serve, and are dead',
  async run({ cluster, send }, args) {
    if (args.length > 0) throw new UsageError(`it takes nothing, got ${args.join(' ')}`)
    const { serving, target, waiting, generation, crashes } = await cluster.status()
    const [last] = crashes
    await send(
      table([
        ['Current workers:', serving],
        ['Target workers:', target],
        ['Dead workers:', waiting],
        ['Generation:', generation],
        ...(last ? [['Last failure:', `${duration(Date.now() - last.at)} ago, ${last.reason}: ${last.message}`]] : [])
      ])
    )
  }
}

export const workerList: Command = {
  name: 'worker list',
  usage: '',
  summary: 'each worker, service and mold, with its figures',
  async run({ cluster, send }, args) {
    if (args.length > 0) throw new UsageError(`it takes nothing, got ${args.join(' ')}`)
    const { processes } = await cluster.status()
    const sorted = [...processes].sort((one, other) => one.id - other.id)
    await send(table([HEAD, ...sorted.map(row)]))
  }
}

const HEAD = ['ID', 'ROLE', 'GEN', 'PID', 'STATE', 'AGE', 'REQUESTS', 'IN FLIGHT', 'CONNECTIONS', 'BUSY', 'MEMORY']

function row({ id, role, name, generation, pid, state, age, vitals, memory }: ProcessInfo): (string | number)[] {
  const bytes = memory?.pss ?? vitals?.rss
  return [
    id,
    role === 'service' || role === 'task' ? name : role,
    generation,
    pid ?? '-',
    vitals?.healthy === false ? `${state} (unhealthy)` : state,
    duration(age),
    vitals?.requests ?? '-',
    vitals?.inFlight ?? '-',
    vitals?.connections ?? '-',
    vitals ? `${Math.round(vitals.utilisation * 100)} %` : '-',
    bytes === undefined ? '-' : `${Math.round(bytes / (1 << 20))} MB`
  ]
}

/** The two largest units: `3d 4h`, `12m 3s`, `850ms`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  const seconds = Math.floor(ms / 1_000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's']
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
