import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

/** What a file held at some moment. */
export interface Content {
  /** Equal for equal contents. `ABSENT` if there is no file, `EMPTY` if there is nothing in it. */
  print: string
  /** When the file was changed last, in any way, in milliseconds since 1970. 0 if there is none. */
  changedAt: number
}

/** Reads what a file holds. Never throws: what cannot be read has a print of its own. */
export async function contentOf(file: string): Promise<Content> {
  try {
    const handle = await open(file)
    try {
      const stats = await handle.stat()
      if (!stats.isFile()) return { print: ABSENT, changedAt: 0 }
      if (stats.size > LARGEST) return { print: `${stats.size}:${stats.mtimeMs}`, changedAt: stats.ctimeMs }
      const data = await handle.readFile()
      // After reading: a time from before it may be older than what was read.
      const { ctimeMs: changedAt } = await handle.stat()
      return { print: data.length === 0 ? EMPTY : createHash('sha1').update(data).digest('base64'), changedAt }
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException
    return { print: code === 'ENOENT' || code === 'ENOTDIR' ? ABSENT : code, changedAt: 0 }
  }
}

export const ABSENT = 'absent'
export const EMPTY = 'empty'
/** A file that is there, but was never read. Equal to none. */
export const UNREAD = 'unread'

/** Milliseconds that a file's time may lag behind the clock: the system takes it from its last tick, 100 a second or more. */
export const COARSE = 10

/** Bytes of a file above which its size and time must do. */
const LARGEST = 1_000_000
