import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { LOCKFILES } from './changes.js'

/**
 * Finds the folders whose package.json and lockfile say what the app depends on: its own, and those above it up to the
 * workspace's root, which is the first that has a lockfile or lists workspaces.
 * @param root the app's folder, absolute
 * @returns the root alone where there is no such folder
 */
export function projectFolders(root: string): string[] {
  const folders: string[] = []
  for (let folder = root; ; folder = path.dirname(folder)) {
    folders.push(folder)
    if (isWorkspace(folder)) return folders
    // Above a repository's root nothing belongs to the app any more, nor at the top of the disk.
    if (existsSync(path.join(folder, '.git')) || path.dirname(folder) === folder) return [root]
  }
}

function isWorkspace(folder: string): boolean {
  if ([...LOCKFILES, 'pnpm-workspace.yaml'].some((name) => existsSync(path.join(folder, name)))) return true
  try {
    return 'workspaces' in JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  } catch {
    return false
  }
}
