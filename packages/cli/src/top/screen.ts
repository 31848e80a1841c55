import { emitKeypressEvents } from 'node:readline'
import { createLogUpdate } from 'log-update'
import type { Size } from './frame.js'

/** A terminal that is drawn on as a whole, and whose keys are read. However the process ends, it is given back as it was. */
export class Screen {
  readonly #draw = createLogUpdate(process.stdout, { showCursor: true })
  readonly #onKey: (key: string) => void
  readonly #onResize: () => void
  readonly #signals: [NodeJS.Signals, () => void][]
  #open = true

  /** @param onKey takes the name of a key: `a`, `+`, `up`, `ctrl-c` @param onResize the size has changed: draw anew */
  constructor(onKey: (key: string) => void, onResize: () => void) {
    this.#onKey = onKey
    this.#onResize = onResize
    // Until something else is decided each of them would have ended the process at once.
    this.#signals = SIGNALS.map(([signal, number]) => [signal, () => process.exit(128 + number)])
    for (const [signal, end] of this.#signals) process.on(signal, end)
    process.on('exit', this.close)
    // Not the handler of what was thrown: Node prints it and ends, on the screen of before.
    process.on('uncaughtExceptionMonitor', this.close)
    // A terminal that hangs up can neither be written nor read; SIGHUP says so.
    process.stdout.on('error', IGNORE)
    process.stdin.on('error', IGNORE)
    process.stdout.write(ENTER)
    emitKeypressEvents(process.stdin)
    process.stdin.setRawMode(true)
    process.stdin.on('keypress', this.#take).resume()
    process.stdout.on('resize', this.#resized)
  }

  /** How many lines can be drawn: the last one stays free for the cursor. */
  get size(): Size {
    return { columns: process.stdout.columns || 80, rows: Math.max(1, (process.stdout.rows || 24) - 1) }
  }

  draw(lines: readonly string[]): void {
    if (this.#open) this.#draw(lines.join('\n'))
  }

  /** Gives the terminal back. May be called again. */
  close = (): void => {
    if (!this.#open) return
    this.#open = false
    process.stdin.off('keypress', this.#take).pause()
    process.stdout.off('resize', this.#resized)
    for (const [signal, end] of this.#signals) process.off(signal, end)
    process.off('exit', this.close).off('uncaughtExceptionMonitor', this.close)
    try {
      process.stdin.setRawMode(false)
    } catch {
      // The terminal hung up: there is nothing to set any more.
    }
    process.stdout.write(LEAVE)
  }

  #take = (text: string | undefined, { name, ctrl }: { name?: string; ctrl?: boolean } = {}): void => {
    const key = ctrl ? `ctrl-${name}` : (name ?? text ?? '')
    // Of `+`, `-` and `?` there is no name.
    this.#onKey(key === '' ? (text ?? '') : key)
  }

  #resized = (): void => {
    // Where lines were is not known any more: terminals differ in what they do with them.
    this.#draw.clear()
    process.stdout.write(CLEAR)
    this.#onResize()
  }
}

const IGNORE = () => {}
const SIGNALS: readonly [NodeJS.Signals, number][] = [
  ['SIGTERM', 15],
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3]
]
const ESC = '\x1b['
/** The terminal's other screen, without a cursor; and back. */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}2J${ESC}H`
const LEAVE = `${ESC}?25h${ESC}?1049l`
const CLEAR = `${ESC}2J${ESC}H`
