import { hasColours, type Look, makeLook } from './look.js'

/** Where a command prints, and how. */
export class Output {
  readonly json: boolean
  readonly look: Look
  /** Whether lines may be drawn over: only on a terminal that can do it. */
  readonly live: boolean

  constructor(json = false) {
    this.json = json
    const { TERM } = process.env
    this.look = makeLook(!json && hasColours(process.stdout.isTTY, process.env))
    this.live = !json && process.stdout.isTTY === true && TERM !== 'dumb'
  }

  /** Prints lines for people. With --json nothing is printed: there it is one document. */
  line(...lines: readonly string[]): void {
    if (!this.json && lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  }

  /** Prints a value as one line of JSON, in which no control character is left for a terminal to obey. */
  document(value: unknown): void {
    process.stdout.write(`${toJson(value)}\n`)
  }

  /** Prints either: the document with --json, else the lines. */
  result(value: unknown, ...lines: readonly string[]): void {
    if (this.json) this.document(value)
    else this.line(...lines)
  }

  /** Prints lines for people beside the result. */
  aside(...lines: readonly string[]): void {
    process.stderr.write(`${lines.join('\n')}\n`)
  }
}

/** JSON leaves DEL and the C1 controls as they are, U+009B among them, which begins an escape sequence. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\x9f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
}
