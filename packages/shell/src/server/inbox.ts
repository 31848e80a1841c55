import type { Input } from './lines.js'
import { Told } from './text.js'

/** The lines of a user that wait for their turn: for the prompt, or for a command that asks for one. */
export class Inbox {
  readonly #most: number
  #lines: (Buffer | Error)[] = []
  #bytes = 0
  #waiters: { resolve: (line: Buffer) => void; reject: (error: Error) => void }[] = []
  #ended: Error | undefined

  /** @param most bytes of lines that may wait */
  constructor(most: number) {
    this.#most = most
  }

  /** Takes a line, or that one was too long. @returns false when more wait than may */
  push(input: Exclude<Input, { type: 'interrupt' }>): boolean {
    const line = input.type === 'line' ? input.bytes : new LineTooLong()
    const waiter = this.#waiters.shift()
    if (waiter) {
      if (line instanceof Error) waiter.reject(line)
      else waiter.resolve(line)
      return true
    }
    this.#lines.push(line)
    this.#bytes += sizeOf(line)
    return this.#bytes <= this.#most
  }

  /**
   * The next line.
   * @throws LineTooLong; InputEnded when there will be none; what `signal` is aborted with
   */
  async take(signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted()
    const line = this.#lines.shift()
    if (line) {
      this.#bytes -= sizeOf(line)
      if (line instanceof Error) throw line
      return line
    }
    if (this.#ended) throw this.#ended
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve: (taken: Buffer) => settle(() => resolve(taken)),
        reject: (error: Error) => settle(() => reject(error))
      }
      const onAbort = () => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter)
        waiter.reject(signal?.reason)
      }
      const settle = (how: () => void) => {
        signal?.removeEventListener('abort', onAbort)
        how()
      }
      signal?.addEventListener('abort', onAbort)
      this.#waiters.push(waiter)
    })
  }

  /** Whether somebody waits for a line. */
  get isAwaited(): boolean {
    return this.#waiters.length > 0
  }

  /** Forgets what waits. */
  clear(): void {
    this.#lines = []
    this.#bytes = 0
  }

  /** There will be no more lines; those that wait are still given out. */
  end(): void {
    this.#ended ??= new InputEnded()
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#ended)
  }
}

export class LineTooLong extends Told {
  constructor() {
    super('the line is too long')
  }
}

export class InputEnded extends Told {
  constructor() {
    super("the user's input has ended")
  }
}

/** A line takes some memory, however short it is. */
function sizeOf(line: Buffer | Error): number {
  return 32 + (line instanceof Error ? 0 : line.length)
}
