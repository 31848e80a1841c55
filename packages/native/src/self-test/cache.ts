import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { homedir, release, tmpdir } from 'node:os'
import path from 'node:path'
import { bindingFile } from '../binding.js'

/** Whether the self-test passed before, with all that it depends on as it is now. */
export function isPassed(folder?: string): boolean {
  return folders(folder).some((it) => isOurs(it) && existsSync(path.join(it, name())))
}

/** Remembers it; if nothing can be written the next one tests again. */
export function notePassed(folder?: string): void {
  for (const it of folders(folder)) {
    try {
      mkdirSync(it, { recursive: true, mode: 0o700 })
      if (!isOurs(it)) continue
      if (folder === undefined) chmodSync(it, 0o700)
      writeFileSync(path.join(it, name()), '')
      return
    } catch {
      // Read-only, or there is no home.
    }
  }
}

function folders(folder?: string): string[] {
  if (folder !== undefined) return [folder]
  const own = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache')
  return [path.join(own, 'mapache'), path.join(tmpdir(), `mapache-${process.getuid?.()}`)]
}

/** In the temp folder anybody can make one of this name, and say that all is well. */
function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === process.getuid?.()
}

function name(): string {
  const key = [process.version, process.arch, release(), ...[process.execPath, bindingFile()].map(identity)]
  return `fork-${createHash('sha256').update(key.join('\0')).digest('hex').slice(0, 32)}`
}

function identity(file: string): string {
  const { size, mtimeMs } = statSync(file)
  return `${file} ${size} ${mtimeMs}`
}
