import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterReading } from './after-reading.js'
import { writeList } from './base-list.js'
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
  if (missing) return notStarted(missing, events)
  const list = spec.base ? writeList(spec.folder, spec.base.modules) : undefined
  const withList = list === undefined ? info : { ...info, base: { ...info.base, list: STDIO + further.length } }
  const child = trySpawn(process.execPath, argumentsOf(spec), {
    cwd: spec.cwd,
    env: { ...spec.env, [LAUNCH_VARIABLE]: JSON.stringify(withList) },
    // Inherited, never piped through the supervisor where it matters: a pipe would take the workers with it.
    // Descriptor 3 of a worker is Node's own IPC, which alone can pass a handle to a process that runs already.
    stdio: ['ignore', ...(spec.output ? PIPED : INHERITED), ...further, ...(list === undefined ? [] : [list])],
    // A session of its own: Ctrl-C at the terminal reaches the supervisor alone.
    detached: true
  })
  if (list !== undefined) closeSync(list)
  if (child instanceof Error) return notStarted(child, events)
  let ended = false
  const end = (status: Parameters<LaunchEvents['exited']>[0]) => {
    if (ended) return
    ended = true
    events.exited(status)
  }
  child.on('exit', (code, signal) => afterReading(() => end({ code, signal })))
  child.on('error', (error) => child.pid === undefined && end({ code: null, signal: null, error }))
  child.channel?.unref()
  for (const name of ['stdout', 'stderr'] as const) {
    const source = `${child.pid} ${name}`
    child[name]?.on('data', (chunk: Buffer) => spec.output?.(chunk, source))
    child[name]?.on('end', () => spec.output?.(undefined, source))
  }
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

/** Arguments or an environment that are too long are thrown, and not an event. */
function trySpawn(...args: Parameters<typeof spawn>): ChildProcess | Error {
  try {
    return spawn(...args)
  } catch (error) {
    return error as Error
  }
}

function notStarted(error: Error, events: LaunchEvents): Launched {
  setImmediate(() => events.exited({ code: null, signal: null, error }))
  return { pid: undefined, kill() {}, sendListener: async () => {} }
}

function argumentsOf({ execArgv, main, args }: LaunchSpec): string[] {
  return ['--import', RUNTIME.href, ...execArgv, main, ...args]
}

const INHERITED = ['inherit', 'inherit'] as const
const PIPED = ['pipe', 'pipe'] as const

/** The main script of a worker in the module form, and of a service. */
export const MODULE_MAIN = fileURLToPath(new URL('../../worker/module-main.js', import.meta.url))
const RUNTIME = new URL('../../worker/runtime.js', import.meta.url)
/** 0 to 2 are stdio, 3 is Node's IPC. */
const FIRST_LISTENER = 4
const STDIO = 3
