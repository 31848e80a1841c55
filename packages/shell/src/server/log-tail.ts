import type { LogLine } from '@mapache/core'
import { type Command, UsageError } from './command.js'
import { InputEnded } from './inbox.js'
import { plain } from './text.js'

export const logTail: Command = {
  name: 'log tail',
  usage: '[LINES]',
  summary: "the last lines of Mapache's log, and those that come, until a line is sent",
  async run({ cluster, send, recv, signal, retiring }, args) {
    const [text = '20'] = args
    if (args.length > 1 || !/^\d{1,4}$/.test(text) || Number(text) > MOST) {
      throw new UsageError(`it takes how many lines to begin with, at most ${MOST}, got ${args.join(' ')}`)
    }
    const show = (line: LogLine) => void send(format(line))
    // What is logged while the old lines are on their way comes after them.
    let early: LogLine[] | undefined = []
    const onLog = (line: LogLine) => {
      if (early) early.push(line)
      else show(line)
    }
    cluster.on('log', onLog)
    try {
      const old = Number(text) === 0 ? [] : await cluster.tail(Number(text))
      const last = old.at(-1)
      for (const line of [...old, ...early.filter((line) => isAfter(line, last, old))]) show(line)
      early = undefined
      await Promise.race([anyLine(recv), aborted(retiring), aborted(signal)])
    } finally {
      cluster.off('log', onLog)
    }
  }
}

/** Whether a line came after those that were asked for, and is not one of them. */
function isAfter(line: LogLine, last: LogLine | undefined, old: readonly LogLine[]): boolean {
  if (!last || line.time > last.time) return true
  return line.time === last.time && !old.some((it) => it.time === line.time && it.message === line.message)
}

/** Whatever the user sends; or its end, so that a script gets the lines there are. */
async function anyLine(recv: () => Promise<Buffer>): Promise<void> {
  try {
    await recv()
  } catch (error) {
    if (!(error instanceof InputEnded)) throw error
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function format({ time, level, message, error }: LogLine): string {
  const stack = error === undefined ? '' : `\n${error.replace(/^/gm, '    ')}`
  return plain(`${new Date(time).toISOString()} ${level.padEnd(5)} ${message}${stack}`)
}

/** As many as the supervisor keeps. */
const MOST = 1_000
