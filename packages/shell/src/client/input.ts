import { createInterface, type Interface } from 'node:readline'
import { History } from './history.js'

/** Where the client's lines come from: a person at a terminal, or a pipe. */
export class Input {
  readonly isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
  /** There will be no more lines than those that wait. */
  ended = false
  /** Names that Tab completes, at the prompt. */
  names: readonly string[] = []
  onLine: () => void = () => {}
  onInterrupt: () => void = () => {}
  readonly #lines: string[] = []
  readonly #readline: Interface
  readonly #history = new History()
  #prompting = false
  #kept: string[]

  constructor() {
    this.#kept = this.isTerminal ? this.#history.load() : []
    this.#readline = createInterface({
      input: process.stdin,
      terminal: this.isTerminal,
      prompt: '> ',
      ...(this.isTerminal ? { output: process.stdout, history: [...this.#kept], completer: this.#complete } : {})
    })
    this.#readline.on('line', (line) => {
      this.#lines.push(line)
      // A long script is read as far as it is needed.
      if (!this.isTerminal && this.#lines.length > AHEAD) this.#readline.pause()
      this.onLine()
    })
    // What a command asks for may be a secret: of all that is typed only commands are kept.
    this.#readline.on('history', (history) => history.splice(0, history.length, ...this.#kept))
    this.#readline.on('close', () => {
      this.ended = true
      this.onLine()
    })
    this.#readline.on('SIGINT', () => {
      if (this.#prompting && this.#readline.line !== '') {
        this.#readline.write(null, { ctrl: true, name: 'e' })
        this.#readline.write(null, { ctrl: true, name: 'u' })
      } else this.onInterrupt()
    })
  }

  /** No line waits, and none will come. */
  get exhausted(): boolean {
    return this.ended && this.#lines.length === 0
  }

  /** Shows that a command is waited for. */
  prompt(): void {
    this.#prompting = true
    if (this.isTerminal && !this.ended) this.#readline.prompt(true)
  }

  /** Takes a line that has come. @returns undefined: none yet */
  take(): string | undefined {
    const line = this.#lines.shift()
    if (line !== undefined) this.#prompting = false
    if (this.#lines.length <= AHEAD && !this.isTerminal && !this.ended) this.#readline.resume()
    return line
  }

  /** Keeps a command in the history. */
  remember(line: string): void {
    if (!this.isTerminal || line.trim() === '' || line === this.#kept[0]) return
    this.#kept = [line, ...this.#kept].slice(0, 1_000)
    const { history } = this.#readline as Interface & { history?: string[] }
    history?.splice(0, history.length, ...this.#kept)
    this.#history.add(line)
  }

  close(): void {
    this.onLine = () => {}
    this.#readline.close()
    process.stdin.unref?.()
  }

  readonly #complete = (line: string): [string[], string] => {
    if (!this.#prompting) return [[], line]
    const names = [...this.names, '.exit', ...this.names.map((name) => `help ${name}`)]
    return [
      names.filter((name) => name.startsWith(line) && (line.startsWith('help ') || !name.startsWith('help '))),
      line
    ]
  }
}

const AHEAD = 1_000
