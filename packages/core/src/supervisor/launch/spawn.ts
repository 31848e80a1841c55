import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  HANDLE_COMMAND,
  LAUNCH_VARIABLE,
  type LaunchEvents,
  type Launched,
  type Launcher,
  type LaunchInfo,
  type LaunchSpec,
  launchInfo
} from './launcher.js'

/** Starts each process as a new Node program. */
export const spawnLauncher: Launcher = {
  launch(spec, events) {
    return spawnNode(spec, launchInfo(spec, FIRST_LISTENER), ['ipc', ...spec.listeners.map(({ fd }) => fd)], events)
  }
}

/**
 * Starts a Node program with the runtime loaded ahead of its main script.
 * @param further what it gets as descriptors 3 and up
 */
export function spawnNode(
  spec: LaunchSpec,
  info: LaunchInfo,
  further: readonly ('ipc' | number)[],
  events: LaunchEvents
): Launched {
  // spawn's own error for a missing folder names the program instead.
  const missing = existsSync(spec.cwd) ? undefined : new Error(`the working directory ${spec.cwd} does not exist`)
  if (missing) {
    setImmediate(() => events.exited({ code: null, signal: null, error: missing }))
    return { pid: undefined, kill() {}, sendListener: async () => {} }
  }
  const child = spawn(process.execPath, argumentsOf(spec), {
    cwd: spec.cwd,
    env: { ...spec.env, [LAUNCH_VARIABLE]: JSON.stringify(info) },
    // Inherited, never piped through the supervisor: a pipe would take the workers with it. Descriptor 3 of a worker is
    // Node's own IPC, which alone can pass a handle to a process that runs already.
    stdio: ['ignore', 'inherit', 'inherit', ...further],
    // A session of its own: Ctrl-C at the terminal reaches the supervisor alone.
    detached: true
  })
  let ended = false
  const end = (status: Parameters<LaunchEvents['exited']>[0]) => {
    if (ended) return
    ended = true
    events.exited(status)
  }
  child.on('exit', (code, signal) => end({ code, signal }))
  child.on('error', (error) => child.pid === undefined && end({ code: null, signal: null, error }))
  child.channel?.unref()
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    sendListener: (key, { handle }) =>
      new Promise((resolve, reject) => {
        const message = { cmd: HANDLE_COMMAND, key }
        child.send(message, handle as never, (error) => (error ? reject(error) : resolve()))
      })
  }
}

function argumentsOf({ execArgv, main, args }: LaunchSpec): string[] {
  return ['--import', RUNTIME.href, ...execArgv, main, ...args]
}

/** The main script of a worker in the module form, and of a service. */
export const MODULE_MAIN = fileURLToPath(new URL('../../worker/module-main.js', import.meta.url))
const RUNTIME = new URL('../../worker/runtime.js', import.meta.url)
/** 0 to 2 are stdio, 3 is Node's IPC. */
const FIRST_LISTENER = 4
