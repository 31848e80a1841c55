import { StringDecoder } from 'node:string_decoder'
import pinoPretty from 'pino-pretty'

/** Takes what an app prints, as it comes. */
export interface Prettifier {
  write(chunk: Buffer | string): void
  /** Something else began a new line where the app had not ended its own. */
  interrupt(): void
  /** Prints what was held back. */
  end(): void
}

/**
 * Makes the log lines of pino readable and passes all else through untouched and at once. Only a line that begins with
 * a brace is held back, until its end has come, as it may be a log line: a prompt is never delayed.
 * @param write prints; each call gets whole characters, not always whole lines
 */
export function prettify(write: (text: string) => void, options: { colored?: boolean } = {}): Prettifier {
  const decoder = new StringDecoder('utf8')
  const format = pinoPretty.prettyFactory({
    colorize: options.colored === true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname',
    // A framework logs the request and the answer as objects: on one line each they stay readable.
    singleLine: true
  })
  let held = ''
  let atStart = true

  const take = (text: string) => {
    let rest = held + text
    held = ''
    let out = ''
    while (rest !== '') {
      const end = rest.indexOf('\n') + 1
      const isObject = atStart && rest.startsWith('{')
      if (end === 0 && isObject && rest.length < LONGEST) {
        held = rest
        break
      }
      const line = end === 0 ? rest : rest.slice(0, end)
      out += isObject && end > 0 ? formatted(line, format) : line
      atStart = end > 0
      rest = rest.slice(line.length)
    }
    if (out !== '') write(out)
  }

  return {
    write: (chunk) => take(typeof chunk === 'string' ? chunk : decoder.write(chunk)),
    interrupt() {
      atStart = true
    },
    end() {
      const last = held + decoder.end()
      held = ''
      atStart = true
      // A log line may lack its newline when the app died.
      if (last !== '') write(last.startsWith('{') ? formatted(last, format) : last)
    }
  }
}

function formatted(line: string, format: (log: object) => string | undefined): string {
  try {
    const log: unknown = JSON.parse(line)
    if (!isLog(log)) return line
    const text = format(log) ?? ''
    return text.endsWith('\n') ? text : `${text}\n`
  } catch {
    return line
  }
}

/** What pino prints has a level, and a time or a message; other JSON is the app's own output. */
function isLog(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const { level, time, msg } = value as Record<string, unknown>
  return (typeof level === 'number' || typeof level === 'string') && (time !== undefined || msg !== undefined)
}

/** A longer line without an end is passed through in characters as it comes. */
const LONGEST = 1_000_000
