/** Encodes a message for the channel: JSON on one line. */
export function encode(message: unknown): string {
  return `${JSON.stringify(message)}\n`
}

/** Cuts a stream of bytes into messages, and keeps no more of an unfinished one than `limit` bytes. */
export class FrameReader {
  readonly #limit: number
  #parts: Buffer[] = []
  #size = 0

  /** @param limit the longest message, bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Takes the next bytes.
   * @returns the messages that they complete, as parsed JSON
   * @throws SyntaxError when one is no JSON, RangeError when one is longer than the limit
   */
  push(chunk: Buffer): unknown[] {
    const messages: unknown[] = []
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end))
      messages.push(JSON.parse(Buffer.concat(this.#parts).toString()))
      this.#parts = []
      this.#size = 0
      from = end + 1
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
    return messages
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#limit) throw new RangeError(`a message is longer than ${this.#limit} bytes`)
    this.#parts.push(part)
  }
}

/** The longest message, bytes. */
export const MESSAGE_LIMIT = 1_048_576

const NEWLINE = 10
