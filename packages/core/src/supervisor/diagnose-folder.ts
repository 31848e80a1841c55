import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { makePrivate } from './folder.js'

/**
 * Writes a report into the folder for them, and removes the oldest where there are too many.
 * @param given the option `diagnostics`
 * @param cluster the cluster's name
 * @param name of the file
 * @returns its path
 * @throws what the file system does, of the last folder that was tried
 */
export async function writeReport(
  given: string | undefined,
  cluster: string,
  name: string,
  text: string,
  env: NodeJS.ProcessEnv = process.env
): Promise<string> {
  const folder = await openFolder(given, cluster, env)
  const file = path.join(folder, name)
  await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  await prune(folder)
  return file
}

/** The folders that reports may be kept in, best first: where the system keeps the state of programs. */
export function reportFolders(cluster: string, env: NodeJS.ProcessEnv): string[] {
  // A name may be anything, a path is not.
  const name = cluster.replace(/[^\w.@-]/g, '_').replace(/^\.+$/, '_')
  // systemd gives several with colons between.
  const service = env.STATE_DIRECTORY?.split(':')[0]
  const base = env.XDG_STATE_HOME && path.isAbsolute(env.XDG_STATE_HOME) ? env.XDG_STATE_HOME : undefined
  const own = path.join(base ?? path.join(homedir(), '.local/state'), 'mapache', name)
  const temporary = path.join(tmpdir(), `mapache-${userInfo().uid}`, name)
  return [...(service ? [service] : [own]), temporary].map((folder) => path.join(folder, 'diagnostics'))
}

async function openFolder(given: string | undefined, cluster: string, env: NodeJS.ProcessEnv): Promise<string> {
  if (given !== undefined) {
    const folder = path.resolve(given)
    // One that is there has the mode that somebody gave it.
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }
  let reason: unknown
  const folders = reportFolders(cluster, env)
  for (const folder of folders) {
    // Below the temp folder those above may be somebody else's, who could put another in the place of this one.
    const above = folder === folders.at(-1) ? [path.dirname(path.dirname(folder)), path.dirname(folder)] : []
    try {
      for (const one of [...above, folder]) makePrivate(one)
      return folder
    } catch (error) {
      reason = error
    }
  }
  throw reason
}

async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => REPORT.test(name))
  // Several workers may hang at once, and each of their reports removes the same old ones.
  const files = names.map((name) => stat(path.join(folder, name)).then(({ size }) => ({ name, size }), ifGone))
  const there = (await Promise.all(files)).filter((file) => file !== undefined)
  for (const name of surplus(there)) await rm(path.join(folder, name), { force: true })
}

function ifGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Which files must go so that no more than `MOST_FILES` and `MOST_BYTES` stay: the oldest, whose names sort first. */
export function surplus(files: readonly { name: string; size: number }[]): string[] {
  let bytes = 0
  const newest = [...files].sort((a, b) => (a.name < b.name ? 1 : -1))
  return newest.flatMap(({ name, size }, index) => {
    bytes += size
    // The last one is kept in any case.
    return index > 0 && (index >= MOST_FILES || bytes > MOST_BYTES) ? [name] : []
  })
}

/** What is named otherwise is not ours to remove: the folder may be shared. The time comes first, and sorts. */
const REPORT = /^\d{8}T\d{9}Z-[\w-]+\.json$/
const MOST_FILES = 20
const MOST_BYTES = 20 * 1_024 ** 2
