import type { LogLine } from '@mapache/core'
import { Ending } from '../ending.js'
import type { RemoteCluster } from '../find.js'
import { type ClusterOptions, withCluster } from '../operate.js'
import type { Output } from '../output.js'
import { plain } from '../text.js'

/** `mapache log`: the last lines of Mapache's own log, and with --follow what comes after them. */
export function log(
  _args: [],
  options: ClusterOptions & { lines: number; follow?: boolean },
  output: Output
): Promise<number> {
  return withCluster(options, async (cluster, found) => {
    const print = (line: LogLine) => output.result(line, ...logLines(line, output))
    if (options.follow) return follow(cluster, new Ending(cluster, found), options.lines, print)
    const lines = await tail(cluster, options.lines)
    // Without --follow it is no stream: one document.
    if (output.json) output.document(lines)
    else lines.forEach(print)
    return 0
  })
}

/** Prints until Ctrl-C, which is the way to end it, or the end of the cluster. */
async function follow(
  cluster: RemoteCluster,
  ending: Ending,
  count: number,
  print: (line: LogLine) => void
): Promise<number> {
  let early: LogLine[] | undefined = []
  cluster.on('log', (line) => {
    if (early) early.push(line)
    else print(line)
  })
  const before = await tail(cluster, count)
  for (const line of [...before, ...withoutKnown(early, before)]) print(line)
  early = undefined
  await ending.come
  return 0
}

async function tail(cluster: RemoteCluster, count: number): Promise<LogLine[]> {
  return count === 0 ? [] : cluster.tail(count)
}

/** Lines that arrived while the last ones were asked for may be among those. */
export function withoutKnown(lines: readonly LogLine[], known: readonly LogLine[]): LogLine[] {
  const keys = known.map(keyOf)
  return lines.filter((line) => {
    const at = keys.lastIndexOf(keyOf(line))
    if (at !== -1) keys.splice(at, 1)
    return at === -1
  })
}

function keyOf({ time, level, message }: LogLine): string {
  return `${time} ${level} ${message}`
}

function logLines({ time, level, message, error }: LogLine, { look }: Output): string[] {
  const clock = look.dim(new Date(time).toTimeString().slice(0, 8))
  const paint = PAINTS[level]
  const shown = plain(level).padEnd(5)
  const first = `${clock} ${paint ? look[paint](shown) : shown} ${plain(message)}`
  return error === undefined
    ? [first]
    : [
        first,
        error
          .split('\n')
          .map((part) => `    ${plain(part)}`)
          .join('\n')
      ]
}

const PAINTS: Partial<Record<LogLine['level'], 'yellow' | 'red'>> = {
  warn: 'yellow',
  error: 'red',
  fatal: 'red'
}
