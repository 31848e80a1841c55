import { realpathSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** The real path; that of the nearest folder which exists, if there is no such file. */
export function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    const folder = path.dirname(file)
    return folder === file ? file : path.join(realPath(folder), path.basename(file))
  }
}

/** The files in a folder; none if it cannot be read. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => path.join(folder, name))
}

/** When a file was changed last, in any way, in milliseconds since 1970. 0 if there is none. */
export async function changedAt(file: string): Promise<number> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.ctimeMs ?? 0
}
