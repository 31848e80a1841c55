import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

/** Tells a folder from another one of the same name. @returns nothing if there is no such folder */
export async function identityOf(folder: string): Promise<string | undefined> {
  try {
    const stats = await stat(folder)
    return stats.isDirectory() ? identity(stats) : undefined
  } catch {
    return undefined
  }
}

/** The same for what is known of it. Inode numbers are used again at once, hence the birth. */
export function identity(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`
}
