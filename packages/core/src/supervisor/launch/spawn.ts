import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PROTOCOL_VERSION } from '../../channel/messages.js'
import {
  HANDLE_COMMAND,
  LAUNCH_VARIABLE,
  type Launched,
  type Launcher,
  type LaunchInfo,
  type LaunchSpec
} from './launcher.js'

/** Starts each process as a new Node program. */
export const spawnLauncher: Launcher = {
  launch(spec, onExit) {
    // spawn's own error for a missing folder names the program instead.
    const missing = existsSync(spec.cwd) ? undefined : new Error(`the working directory ${spec.cwd} does not exist`)
    if (missing) {
      setImmediate(onExit, { code: null, signal: null, error: missing })
      return { pid: undefined, kill() {}, sendListener: async () => {} }
    }
    const child = spawn(process.execPath, argumentsOf(spec), {
      cwd: spec.cwd,
      env: { ...spec.env, [LAUNCH_VARIABLE]: JSON.stringify(launchInfo(spec)) },
      // Inherited, never piped through the supervisor: a pipe would take the workers with it. Descriptor 3 is Node's
      // own IPC, which alone can pass a handle to a process that runs already.
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...spec.listeners.map(({ fd }) => fd)],
      // A session of its own: Ctrl-C at the terminal reaches the supervisor alone.
      detached: true
    })
    let ended = false
    const end = (status: Parameters<typeof onExit>[0]) => {
      if (ended) return
      ended = true
      onExit(status)
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
    } satisfies Launched
  }
}

function argumentsOf({ execArgv, main, args }: LaunchSpec): string[] {
  return ['--import', RUNTIME.href, ...execArgv, main, ...args]
}

function launchInfo(spec: LaunchSpec): LaunchInfo {
  const { role, id, name, generation, token, channel, folder, cluster, module } = spec
  return {
    protocol: PROTOCOL_VERSION,
    role,
    id,
    name,
    generation,
    token,
    channel,
    folder,
    cluster,
    supervisor: process.pid,
    listeners: spec.listeners.map(({ key, address }, index) => ({ key, address, fd: FIRST_LISTENER + index })),
    ...(module ? { module } : {})
  }
}

/** The main script of a worker in the module form, and of a service. */
export const MODULE_MAIN = fileURLToPath(new URL('../../worker/module-main.js', import.meta.url))
const RUNTIME = new URL('../../worker/runtime.js', import.meta.url)
/** 0 to 2 are stdio, 3 is Node's IPC. */
const FIRST_LISTENER = 4
