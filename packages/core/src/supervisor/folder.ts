import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { MapacheError } from '../errors.js'

/** What `cluster.json` in a channel's folder says, for those who find the folder later. */
export interface FolderRecord {
  /** The supervisor's. */
  pid: number
  name: string
  /** Unix sockets that the cluster listens on, to be removed when nobody is left. */
  sockets: { path: string; inode: number }[]
}

/** The private folder of one cluster's channel. */
export class ChannelFolder {
  readonly path: string
  readonly #record: FolderRecord

  /**
   * Makes the folder, 0700, below $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or the temp folder: the first that is usable and
   * short enough for a Unix socket's path.
   * @throws MAPACHE_CHANNEL_FOLDER when none is
   */
  constructor(name: string, env: NodeJS.ProcessEnv = process.env) {
    const reasons: string[] = []
    for (const root of channelRoots(env)) {
      const folder = path.join(root, `${process.pid}-${randomBytes(3).toString('hex')}`)
      try {
        if (Buffer.byteLength(socketPath(folder)) > LONGEST_PATH) throw new Error('its path is too long for a socket')
        makePrivate(root)
        mkdirSync(folder, { mode: 0o700 })
        this.path = folder
        this.#record = { pid: process.pid, name, sockets: [] }
        this.#write()
        return
      } catch (error) {
        reasons.push(`${root}: ${(error as Error).message}`)
      }
    }
    throw new MapacheError('MAPACHE_CHANNEL_FOLDER', `no private folder for the channel: ${reasons.join('; ')}`)
  }

  get socket(): string {
    return socketPath(this.path)
  }

  /** Notes the Unix sockets that the cluster listens on. */
  noteSockets(sockets: FolderRecord['sockets']): void {
    this.#record.sockets = sockets
    this.#write()
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }

  #write(): void {
    const file = path.join(this.path, RECORD)
    // In one step: who looks for clusters meanwhile is not to find half of it.
    writeFileSync(`${file}.new`, JSON.stringify(this.#record), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}

/**
 * Notes a process in the folder, so that the last one to leave knows that it is.
 * @returns what to call on leaving without a supervisor: it removes the folder and the sockets' files, if nobody is left
 */
export function markPresence(folder: string, pid: number): () => void {
  const marker = path.join(folder, `${MARKER}${pid}`)
  writeFileSync(marker, '', { mode: 0o600 })
  return () => {
    // Each removes its own marker before it looks for others: of two that leave at once, the later one finds none.
    rmSync(marker, { force: true })
    if (livingMarkers(folder).length === 0) removeFolder(folder)
  }
}

/** Removes the marker of a process that has exited. */
export function clearPresence(folder: string, pid: number): void {
  rmSync(path.join(folder, `${MARKER}${pid}`), { force: true })
  rmSync(stackPath(folder, pid), { force: true })
}

/**
 * Looks through the folders of clusters whose supervisor is dead: removes those that nobody uses any more.
 * @returns the pids of workers that are still leaving
 */
export async function sweepFolders(env: NodeJS.ProcessEnv = process.env): Promise<number[]> {
  const leaving: number[] = []
  for (const folder of channelRoots(env).flatMap(foldersIn)) {
    if (await answers(folder)) continue
    const pids = livingMarkers(folder)
    if (pids.length === 0) removeFolder(folder)
    leaving.push(...pids)
  }
  return leaving
}

/** A cluster that runs. */
export interface FoundCluster {
  name: string
  /** The supervisor's. */
  pid: number
  /** The folder of its channel. */
  folder: string
}

/** The folders of the clusters of this user whose supervisor answers. */
export async function findFolders(env: NodeJS.ProcessEnv): Promise<FoundCluster[]> {
  const folders = [...channelRoots(env), ...serviceRoots()].flatMap(foldersIn)
  const found = [...new Set(folders)].map(async (folder) => {
    const { pid, name } = readRecord(folder)
    return pid !== undefined && name !== undefined && (await answers(folder)) ? [{ name, pid, folder }] : []
  })
  return (await Promise.all(found)).flat().sort((a, b) => a.pid - b.pid)
}

/** The clusters' folders in one of the folders for them. What others could have put there is none. */
function foldersIn(root: string): string[] {
  if (!isPrivate(root)) return []
  const folders = list(root).flatMap((entry) => (FOLDER.test(entry) ? [path.join(root, entry)] : []))
  return folders.filter(isPrivate)
}

/** Whether it is a folder of this user that nobody else may enter. */
function isPrivate(folder: string): boolean {
  try {
    const stats = lstatSync(folder)
    return stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0
  } catch {
    return false
  }
}

/** Where clusters are that somebody else started, with another environment: systemd's runtime directories. */
function serviceRoots(): string[] {
  const bases = ['/run', `/run/user/${userInfo().uid}`]
  return [...bases, ...list('/run').map((name) => path.join('/run', name))].map((base) => path.join(base, 'mapache'))
}

/** The folders that may hold clusters' folders, most private first. */
export function channelRoots(env: NodeJS.ProcessEnv): string[] {
  // systemd gives several runtime directories with colons between.
  const runtime = env.RUNTIME_DIRECTORY?.split(':')[0]
  const roots = [runtime, env.XDG_RUNTIME_DIR].flatMap((base) => (base ? [path.join(base, 'mapache')] : []))
  return [...roots, path.join(tmpdir(), `mapache-${userInfo().uid}`)]
}

/** Whether a supervisor listens in the folder. Its pid alone would not tell: the system gives pids again. */
function answers(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Between making the folder and listening in it a supervisor is alive and does not answer yet.
    if (isAlive(readRecord(folder).pid ?? 0) && ageOf(folder) < STARTING) return resolve(true)
    const socket = net.connect(socketPath(folder), () => resolve(true))
    socket.on('connect', () => socket.destroy())
    socket.on('error', () => resolve(false))
  })
}

function removeFolder(folder: string): void {
  for (const { path: file, inode } of readRecord(folder).sockets ?? []) {
    try {
      // The next cluster may have bound the path anew: only the file that was ours is removed.
      if (lstatSync(file).ino === inode) rmSync(file)
    } catch {
      // Gone already.
    }
  }
  rmSync(folder, { recursive: true, force: true })
}

function readRecord(folder: string): Partial<FolderRecord> {
  try {
    return JSON.parse(readFileSync(path.join(folder, RECORD), 'utf8')) as FolderRecord
  } catch {
    return {}
  }
}

function livingMarkers(folder: string): number[] {
  const pids = list(folder).flatMap((entry) => (entry.startsWith(MARKER) ? [Number(entry.slice(MARKER.length))] : []))
  return pids.filter(isAlive)
}

function ageOf(folder: string): number {
  try {
    return Date.now() - lstatSync(folder).ctimeMs
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** Whether a process runs. One that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Makes the folder, or checks that the one there is this user's and nobody else's: the temp folder is everybody's. */
export function makePrivate(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid } = lstatSync(folder)
  if (!lstatSync(folder).isDirectory() || uid !== userInfo().uid) throw new Error('it belongs to somebody else')
  chmodSync(folder, 0o700)
}

/** Where a forked process writes where its JavaScript is, when it is asked. */
export function stackPath(folder: string, pid: number): string {
  return path.join(folder, `stack.${pid}`)
}

export function socketPath(folder: string): string {
  return path.join(folder, 'channel.sock')
}

/** A cluster's: the supervisor's pid, and something random. */
const FOLDER = /^\d+-[0-9a-f]+$/
const RECORD = 'cluster.json'
const MARKER = 'pid.'
/** Milliseconds within which a supervisor that made its folder listens in it. */
const STARTING = 10_000
/** sun_path on macOS, less the closing zero. */
const LONGEST_PATH = 103
