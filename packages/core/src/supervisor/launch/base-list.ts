import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import path from 'node:path'

/**
 * Puts a base's modules where the process finds them that loads them: there may be more than an environment can carry.
 * @param folder private; nothing is left in it
 * @returns a descriptor for the process to inherit, to be closed here
 */
export function writeList(folder: string, modules: readonly string[]): number {
  const file = path.join(folder, `list-${process.hrtime.bigint()}`)
  const descriptor = openSync(file, 'wx+', 0o600)
  unlinkSync(file)
  writeSync(descriptor, JSON.stringify(modules), 0)
  return descriptor
}

/** Reads the list from the descriptor, and closes it. */
export function readList(descriptor: number): string[] {
  const text = Buffer.alloc(fstatSync(descriptor).size)
  for (let done = 0; done < text.length; ) {
    const read = readSync(descriptor, text, done, text.length - done, done)
    if (read === 0) break
    done += read
  }
  closeSync(descriptor)
  return JSON.parse(text.toString('utf8'))
}
