import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'

/** What of the log may be chosen: a level, nothing, level and format, or a logger of the user's own. */
export type LogOption = false | string | { level?: string; format?: 'auto' | 'json' | 'line' } | Logger

export type { Logger }

/**
 * Makes the supervisor's logger. `auto` prints plain lines on a terminal and JSON elsewhere.
 * A log that cannot be written (a closed pipe, a terminal that hung up) must not end the supervisor.
 */
export function makeLogger(option: LogOption): Logger {
  if (isLogger(option)) return option
  const { level = 'info', format = 'auto' } =
    option === false ? { level: 'silent' } : typeof option === 'string' ? { level: option } : option
  const destination = pino.destination({ fd: 1, sync: true })
  destination.on('error', () => {})
  const lines = format === 'line' || (format === 'auto' && isatty(1))
  const stream = lines ? { write: (json: string) => destination.write(toLine(json)) } : destination
  return pino({ name: 'mapache', level, base: { pid: process.pid } }, stream)
}

/** Whether the value can be used as a logger: it has pino's methods. */
export function isLogger(value: unknown): value is Logger {
  const methods = ['debug', 'info', 'warn', 'error', 'child']
  return methods.every((method) => typeof (value as Record<string, unknown> | null)?.[method] === 'function')
}

/** The one identity of a process, in every log line about it and in its title. */
export function identity(of: { role: string; name: string; id: number; generation: number; pid?: number | undefined }) {
  const role = of.role === 'service' ? `service=${of.name}` : of.role === 'task' ? of.name : `${of.role}=${of.id}`
  return `${role} ${generationName(of.generation)}${of.pid === undefined ? '' : ` pid=${of.pid}`}`
}

/** Below 0 is the base: a mold that is of no generation. */
export function generationName(generation: number): string {
  return generation < 0 ? `base=${-generation}` : `gen=${generation}`
}

function toLine(json: string): string {
  const { level, time, msg, err } = JSON.parse(json) as {
    level: number
    time: number
    msg?: string
    err?: { stack?: string }
  }
  const clock = new Date(time).toTimeString().slice(0, 8)
  const name = pino.levels.labels[level] ?? String(level)
  const stack = err?.stack ? `\n${err.stack.replace(/^/gm, '    ')}` : ''
  return `${clock} ${name.padEnd(5)} ${plain(`${msg ?? ''}${stack}`)}\n`
}

/** What a terminal would obey, or show in another order, is shown as what it is: errors are texts of the app. */
function plain(text: string): string {
  return text.replace(OBEYED, (letter) => `\\u{${letter.charCodeAt(0).toString(16)}}`)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const OBEYED = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g
