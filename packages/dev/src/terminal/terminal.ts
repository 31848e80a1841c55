import { EventEmitter } from 'node:events'
import { hasColors, type Palette, palette } from './colors.js'
import { type Failed, failedLines, sameError } from './failed.js'
import { type Key, type KeyInput, readKeys } from './keys.js'
import { memoryLines, noteLine, type Reloaded, reloadedLine, type Started, startedLines, warnLine } from './lines.js'
import type { ProcessMemory } from './memory.js'
import { type Prettifier, prettify } from './pretty.js'
import { Progress } from './progress.js'

export interface TerminalOptions {
  /** Default: process.stdin. Keys are read only if it and the output are a terminal. */
  input?: KeyInput
  /** Default: process.stdout. */
  output?: NodeJS.WritableStream & { isTTY?: boolean | undefined; columns?: number | undefined }
  env?: NodeJS.ProcessEnv
  /** Paths in errors are written relative to it. */
  cwd?: string
}

interface TerminalEvents {
  reload: []
  memory: []
  open: []
  /** Comes again at each further q or Ctrl-C. */
  quit: []
}

/**
 * The person at the terminal: says what happens, prints what the app prints, and tells which key was pressed. Without a
 * terminal it prints plain lines. It never throws for an output that has gone.
 */
export class Terminal extends EventEmitter<TerminalEvents> {
  readonly #output: NonNullable<TerminalOptions['output']>
  readonly #cwd: string
  readonly #look: Palette
  readonly #progress: Progress
  readonly #hasKeys: boolean
  readonly #closeKeys: () => void
  readonly #logs = new Map<string, Prettifier>()
  #atStart = true
  #gone = false
  #failed: Failed | undefined

  constructor(options: TerminalOptions = {}) {
    super()
    const input = options.input ?? process.stdin
    this.#output = options.output ?? process.stdout
    this.#cwd = options.cwd ?? process.cwd()
    this.#look = palette(hasColors(this.#output.isTTY, options.env ?? process.env))
    // Stays for good: an error of a late write may come after close(). What cannot be printed is given up.
    this.#output.on('error', () => {
      this.#gone = true
    })
    this.#progress = new Progress(this.#output, (text) => this.#put(text), this.#look)
    this.#hasKeys = input.isTTY === true && this.#output.isTTY === true
    this.#closeKeys = this.#hasKeys ? readKeys(input, (key) => this.#press(key)) : () => {}
  }

  /** The app serves for the first time. */
  started(started: Started): void {
    this.#failed = undefined
    this.#lines(startedLines(started, { keys: this.#hasKeys, look: this.#look }))
  }

  /** The first boot has loaded this many modules. */
  progress(count: number): void {
    // A prompt of the app that has no newline yet must not be overwritten.
    if (this.#atStart) this.#progress.update(count)
  }

  /** New code serves. */
  reloaded(reloaded: Reloaded): void {
    this.#failed = undefined
    this.#lines([reloadedLine(reloaded, this.#look)])
  }

  /** The app has failed. The same error twice in a row is printed once. @returns whether it was printed */
  failed(failed: Failed): boolean {
    if (sameError(this.#failed, failed)) return false
    this.#failed = failed
    this.#lines(failedLines(failed, this.#cwd, this.#look))
    return true
  }

  note(text: string): void {
    this.#lines([noteLine(text, this.#look)])
  }

  warn(text: string): void {
    this.#lines([warnLine(text, this.#look)])
  }

  memory(rows: readonly ProcessMemory[]): void {
    this.#lines(memoryLines(rows, this.#look))
  }

  /**
   * Prints what the app prints, log lines made readable.
   * @param source tells streams apart, as a line may come in several chunks: one name for each pipe
   */
  log(chunk: Buffer | string, source = 'app'): void {
    let log = this.#logs.get(source)
    if (log === undefined) {
      log = prettify((text) => this.#print(text), { colored: this.#look.colored })
      this.#logs.set(source, log)
    }
    log.write(chunk)
  }

  /** A stream of the app has ended: prints what of it was held back. */
  logEnd(source = 'app'): void {
    this.#logs.get(source)?.end()
    this.#logs.delete(source)
  }

  /** Gives the terminal back. Lines may still be printed after it; keys are no longer read. */
  close(): void {
    for (const source of [...this.#logs.keys()]) this.logEnd(source)
    this.#progress.erase()
    this.#closeKeys()
  }

  #press(key: Key): void {
    if (key === 'clear') this.#print(CLEAR)
    else this.emit(key)
  }

  #lines(lines: readonly string[]): void {
    if (!this.#atStart) {
      this.#print('\n')
      for (const log of this.#logs.values()) log.interrupt()
    }
    this.#print(`${lines.join('\n')}\n`)
  }

  #print(text: string): void {
    this.#progress.erase()
    this.#put(text)
    this.#atStart = text.endsWith('\n') || text === CLEAR
  }

  #put(text: string): void {
    if (this.#gone) return
    try {
      this.#output.write(text)
    } catch {
      this.#gone = true
    }
  }
}

const CLEAR = '\x1b[2J\x1b[3J\x1b[H'
