import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** The app's own files: all below this folder that are none of its dependencies'. */
export function ownFiles(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.mjs') && !file.includes('node_modules'))
    .map((file) => path.join(folder, file))
}

/** When the youngest of them was changed, in ms. */
export function youngest(files) {
  let latest = 0
  for (const file of files) latest = Math.max(latest, statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
  return latest
}
