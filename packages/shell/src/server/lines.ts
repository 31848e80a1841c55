/** What a user's bytes come to. */
export type Input = { type: 'line'; bytes: Buffer } | { type: 'too-long' } | { type: 'interrupt' }

/** Parts bytes into lines, and keeps no more than one line of them. */
export class LineReader {
  readonly #longest: number
  #parts: Buffer[] = []
  #length = 0
  /** A line that was too long is left out up to its end. */
  #skipping = false

  /** @param longest bytes that a line may have, its end left out */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Takes the bytes that came. @returns what they complete, in order */
  push(chunk: Buffer): Input[] {
    const found: Input[] = []
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte === NEWLINE) {
        this.#keep(chunk.subarray(start, at), found)
        if (!this.#skipping) found.push({ type: 'line', bytes: this.#line() })
        this.#forget()
        start = at + 1
      } else if (byte === CTRL_C) {
        // As at a terminal, what was typed so far of the line goes with it.
        this.#forget()
        found.push({ type: 'interrupt' })
        start = at + 1
      }
    }
    this.#keep(chunk.subarray(start), found)
    return found
  }

  /** The input has ended. @returns a last line without an end, if there is one */
  end(): Input[] {
    const bytes = this.#line()
    this.#forget()
    return bytes.length > 0 ? [{ type: 'line', bytes }] : []
  }

  #keep(part: Buffer, found: Input[]): void {
    if (this.#skipping || part.length === 0) return
    if (this.#length + part.length > this.#longest) {
      this.#forget()
      this.#skipping = true
      found.push({ type: 'too-long' })
      return
    }
    this.#length += part.length
    // A copy: the whole chunk would be kept for a part of it.
    this.#parts.push(Buffer.from(part))
  }

  #line(): Buffer {
    const line = Buffer.concat(this.#parts)
    return line.at(-1) === RETURN ? line.subarray(0, -1) : line
  }

  #forget(): void {
    this.#parts = []
    this.#length = 0
    this.#skipping = false
  }
}

/** What Ctrl-C is on a terminal. */
export const CTRL_C = 0x03
const NEWLINE = 0x0a
const RETURN = 0x0d
