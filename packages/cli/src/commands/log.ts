import type { LogLine } from '@mapache/core'
import { Ending } from '../ending.js'
import type { RemoteCluster } from '../find.js'
import { type ClusterOptions, withCluster } from '../operate.js'
import type { Output } from '../output.js'
import { plain } from '../plain.js'

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

/**
 * Of lines that arrived while the last ones were asked for, those that came after these. Both are in the order in which
 * they were logged, so the first of them may be the last that are known, and what was said twice is there twice.
 * @param known the last lines, as they were asked for; those before them were not wanted
 */
export function withoutKnown(lines: readonly LogLine[], known: readonly LogLine[]): LogLine[] {
  const [early, last] = [lines.map(keyOf), known.map(keyOf)]
  if (last.length === 0) return [...lines]
  /** Whether the first lines, so many, are the end of what is known. */
  const fits = (count: number) => {
    const both = Math.min(count, last.length)
    return early.slice(count - both, count).every((key, index) => key === last[last.length - both + index])
  }
  // Where it cannot be told, a line that is printed twice is better than one that is not printed.
  const within = Math.min(early.length, last.length)
  for (let count = within; count > 0; count -= 1) if (fits(count)) return lines.slice(count)
  for (let count = within + 1; count <= early.length; count += 1) if (fits(count)) return lines.slice(count)
  return [...lines]
}

function keyOf({ time, level, message, error = '' }: LogLine): string {
  return JSON.stringify([time, level, message, error])
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
