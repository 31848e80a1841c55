import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ensurePrivateFolder, privateFolder } from '../private-folder.js'

/** The commands that were typed, kept in a private file. What cannot be kept is done without. */
export class History {
  readonly #file: string

  constructor(folder = privateFolder()) {
    this.#file = path.join(folder, 'shell-history')
  }

  /** The last commands, the newest first, as readline wants them. */
  load(): string[] {
    try {
      const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean)
      const kept = lines.slice(-MOST)
      if (lines.length > 2 * MOST) writeFileSync(this.#file, `${kept.join('\n')}\n`)
      chmodSync(this.#file, 0o600)
      return kept.reverse()
    } catch {
      return []
    }
  }

  add(line: string): void {
    try {
      ensurePrivateFolder(path.dirname(this.#file))
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 })
    } catch {
      // A disk that is full or read-only must not get in the way of a rescue.
    }
  }
}

const MOST = 1_000
