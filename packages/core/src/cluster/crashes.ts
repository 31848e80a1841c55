import type { EndReason, Role } from './roster.js'

/** A bad end: of a process that crashed, or was ended for a fault. */
export interface Crash {
  /** Milliseconds since 1970; of the last one, if it came several times in a row. */
  at: number
  id: number
  role: Role
  /** The service's name; empty for the others. */
  name: string
  generation: number
  place: number
  reason: EndReason
  code: number | null
  signal: string | null
  /** What ended it, in one line. */
  message: string
  /** Where the error was thrown: the first line of its stack that names a place. */
  frame?: string
  /** The file that was written about a process that hung. */
  diagnostic?: string
  /** How often it came in a row: the same reason, message and place in the code, of the same generation. */
  times: number
}

/** The last bad ends of processes, so that somebody who comes later sees what happened. */
export class Crashes {
  readonly #most: number
  #kept: Crash[] = []

  /** @param most how many are kept */
  constructor(most = MOST) {
    this.#most = most
  }

  /** One like the last is counted, and not kept beside it: a crash loop would push out all else. */
  note(crash: Omit<Crash, 'times'>): void {
    const last = this.#kept.at(-1)
    const times = last && isSame(last, crash) ? last.times + 1 : 1
    const before = times > 1 ? this.#kept.slice(0, -1) : this.#kept
    // The file about one of them tells of the others, too.
    const diagnostic = crash.diagnostic ?? (times > 1 ? last?.diagnostic : undefined)
    this.#kept = [...before, { ...crash, ...(diagnostic ? { diagnostic } : {}), times }].slice(-this.#most)
  }

  /** @returns the last ones, newest first */
  last(count = this.#most): Crash[] {
    return this.#kept.slice(-count).reverse()
  }
}

/**
 * What there is to say of an error in one line each, cut to what a status can carry.
 * @returns its message, and the first line of its stack that names a place
 */
export function inOneLine({ message, stack }: { message: string; stack: string }): Pick<Crash, 'message' | 'frame'> {
  const [first = ''] = message.split('\n', 1)
  const frame = /^ +at (.+)$/m.exec(stack)?.[1]
  return { message: first.slice(0, LONGEST), ...(frame ? { frame: frame.slice(0, LONGEST) } : {}) }
}

function isSame(a: Omit<Crash, 'times'>, b: Omit<Crash, 'times'>): boolean {
  return SAME.every((key) => a[key] === b[key])
}

const SAME = ['role', 'name', 'generation', 'reason', 'message', 'frame'] as const
const MOST = 50
const LONGEST = 300
