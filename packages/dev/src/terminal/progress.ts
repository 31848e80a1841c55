import type { Palette } from './colors.js'
import { progressLine } from './lines.js'

/** What a status line must know of the output; the width changes with the terminal's window. */
export interface StatusOutput {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** One line at the bottom of a terminal that is overwritten in place. On anything but a terminal it prints nothing. */
export class Progress {
  readonly #output: StatusOutput
  readonly #write: (text: string) => void
  readonly #look: Palette
  readonly #now: () => number
  readonly #begun: number
  #drawn = Number.NEGATIVE_INFINITY
  #visible = false

  /** @param now milliseconds of a clock that never goes back */
  constructor(output: StatusOutput, write: (text: string) => void, look: Palette, now = () => performance.now()) {
    this.#output = output
    this.#write = write
    this.#look = look
    this.#now = now
    this.#begun = now()
  }

  /** Shows how many modules are loaded, unless the line was drawn within the last 100 ms. */
  update(count: number): void {
    const now = this.#now()
    if (!this.#output.isTTY || now - this.#drawn < PAUSE) return
    this.#drawn = now
    this.#visible = true
    const line = progressLine(count, now - this.#begun)
    // A line that wraps could not be erased.
    const short = line.slice(0, Math.max(0, (this.#output.columns || 80) - 1))
    this.#write(`${ERASE}${this.#look.dim(short)}`)
  }

  /** Takes the line away; a later update shows it again. */
  erase(): void {
    if (!this.#visible) return
    this.#visible = false
    this.#write(ERASE)
  }
}

/** Milliseconds. */
const PAUSE = 100
const ERASE = '\r\x1b[2K'
