import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** Where this user's own certificate, known shells and history are kept: the path, which need not be there yet. */
export function privateFolder(env: NodeJS.ProcessEnv = process.env): string {
  // A relative path is to be ignored, says the specification of these folders.
  const state = env.XDG_STATE_HOME && path.isAbsolute(env.XDG_STATE_HOME) ? env.XDG_STATE_HOME : undefined
  return path.join(state ?? path.join(homedir(), '.local', 'state'), 'mapache')
}

/** Makes the folder, if it is not there, so that only this user may look into it. */
export function ensurePrivateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
