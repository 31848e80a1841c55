import { MESSAGE_LIMIT } from '../channel/frames.js'
import type { Logger } from '../log.js'

/** A line of Mapache's own log. */
export interface LogLine {
  /** Milliseconds since 1970. */
  time: number
  level: (typeof LEVELS)[number]
  message: string
  /** The stack of the error that it is about. */
  error?: string
}

/** Keeps the last lines of the log, whatever the log itself does with them. */
export class LogTail {
  readonly #lines: LogLine[] = []
  readonly #follow: (line: LogLine) => void
  #following = false

  /** @param follow gets each line */
  constructor(follow: (line: LogLine) => void) {
    this.#follow = follow
  }

  /** The last lines, oldest first, as many as a message carries. */
  last(count: number): LogLine[] {
    let bytes = 0
    let first = this.#lines.length
    while (first > 0 && this.#lines.length - first < count) {
      bytes += Buffer.byteLength(JSON.stringify(this.#lines[first - 1])) + 1
      if (bytes > MOST_BYTES) break
      first -= 1
    }
    return this.#lines.slice(first)
  }

  /** A logger that does what the given one does, and has its lines kept here. */
  of(logger: Logger): Logger {
    const kept = Object.create(logger) as Logger
    for (const level of LEVELS) {
      kept[level] = (...args: unknown[]) => {
        this.#keep(level, args)
        Reflect.apply(logger[level], logger, args)
      }
    }
    return kept
  }

  #keep(level: LogLine['level'], args: readonly unknown[]): void {
    const [first, second] = args
    const message = typeof first === 'string' ? first : String(second ?? '')
    const stack = (first as { err?: { stack?: unknown } } | null)?.err?.stack
    const line: LogLine = { time: Date.now(), level, message, ...(typeof stack === 'string' ? { error: stack } : {}) }
    this.#lines.push(line)
    if (this.#lines.length > MOST) this.#lines.shift()
    // A follower that fails is logged, which is not to be followed in turn.
    if (this.#following) return
    this.#following = true
    try {
      this.#follow(line)
    } finally {
      this.#following = false
    }
  }
}

const LEVELS = ['info', 'warn', 'error', 'fatal'] as const
/** Lines that are kept. */
const MOST = 1_000
/** Bytes of the lines that are told at once. */
const MOST_BYTES = MESSAGE_LIMIT - 10_000
