import { randomUUID } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { errorToData, MapacheError } from '../errors.js'
import { findModuleFile } from '../module-file.js'
import type { ServiceOption } from '../services.js'
import type { SetupFunction, SetupHandle, SetupOption, TaskName, Tasks } from '../setup.js'
import { show } from '../show.js'
import { logicalCwd } from '../supervisor/entry.js'
import { isDead, lockFiles, MachineLock, type Owner, ownOwner, thisMachine } from '../supervisor/lock.js'
import { unwrapDefault } from './factory.js'
import type { Runtime } from './registry.js'
import { runOwnService } from './service.js'

/**
 * Runs what this process is there for, where that is no worker but a part of the app's own script: a service or a task.
 * Called where the script listens: nothing that comes after that is for such a process, so it never comes back.
 * @param options as the script gives them
 * @returns undefined in a worker
 */
export function runOwn(
  runtime: Runtime,
  options: Tasks & { services: readonly ServiceOption[] }
): Promise<never> | undefined {
  if (runtime.role === 'service') return runOwnService(runtime, options.services)
  return runtime.role === 'task' ? runTask(runtime, () => loadTask(options[runtime.name as TaskName])) : undefined
}

/**
 * Does what a task is there for, under the machine's lock, and ends the process.
 * @param load gives the function, or undefined when the code has none
 */
export async function runTask(runtime: Runtime, load: () => Promise<SetupFunction | undefined>): Promise<never> {
  try {
    // What listens from here on is the task's own, and no app.
    runtime.listenAlone()
    const run = await load()
    if (!run) return await finish(runtime, { none: true })
    await work(runtime, run)
    return await finish(runtime, {})
  } catch (error) {
    await runtime.sayLast({ type: 'failed', error: errorToData(error) })
    process.exit(1)
  }
}

/** Says that the task is done, or that there is `none`, and ends the process. */
export async function finish(runtime: Runtime, { none }: { none?: true }): Promise<never> {
  await runtime.sayLast({ type: 'done', ...(none ? { none } : {}) })
  process.exit(0)
}

/** The default export of a task's module. @throws MAPACHE_SETUP_INVALID when it is no function */
export async function importTask(url: string): Promise<SetupFunction> {
  const run = unwrapDefault((await import(url)) as Record<string, unknown>)
  if (typeof run === 'function') return run as SetupFunction
  throw new MapacheError('MAPACHE_SETUP_INVALID', `${url} must export a function as default, got ${show(run)}`)
}

async function loadTask(given: SetupOption | undefined): Promise<SetupFunction | undefined> {
  if (given === undefined || typeof given === 'function') return given
  const file = findModuleFile(given, logicalCwd())
  if (file === undefined) throw new MapacheError('MAPACHE_ENTRY_MISSING', `${String(given)} does not exist`)
  return importTask(pathToFileURL(file).href)
}

async function work(runtime: Runtime, run: SetupFunction): Promise<void> {
  const { generation, retiring: signal } = runtime.handle
  const log: SetupHandle['log'] = (level, text) => runtime.say({ type: 'log', level, text: text.slice(0, LONGEST) })
  runtime.manage(undefined, () => {})
  await runtime.activated()
  const machine = thisMachine()
  const own = ownOwner(randomUUID(), `${runtime.name} of ${runtime.cluster}`, machine)
  const lock = new MachineLock(lockFiles(runtime.lock), own, (owner) => isDead(owner, machine))
  // However this process ends by itself, nobody is to find out by its death.
  process.on('exit', () => lock.release())
  await hold(
    runtime,
    taken(lock, signal, (owner) => log('info', `waiting for the ${described(owner)}`))
  )
  runtime.serving()
  await hold(
    runtime,
    Promise.resolve({ generation, signal, log }).then((handle) => run(handle))
  )
  lock.release()
}

/** Waits until the lock is taken. @param waiting is called once, with who holds it */
async function taken(lock: MachineLock, signal: AbortSignal, waiting: (owner: Owner) => void): Promise<void> {
  let told = false
  for (;;) {
    signal.throwIfAborted()
    const owner = lock.take()
    if (!owner) return
    if (!told) waiting(owner)
    told = true
    await new Promise((resolve) => setTimeout(resolve, INTERVAL))
  }
}

/** Keeps the process alive, which else would end while it waits for something that does not. */
async function hold(runtime: Runtime, promise: Promise<unknown>): Promise<void> {
  runtime.hold(promise.catch(() => {}))
  await promise
}

function described({ what, pid, since, host }: Owner): string {
  const where = host === thisMachine().host ? '' : ` on ${host}`
  return `${what}, pid ${pid}${where}, since ${Math.max(0, Math.round((Date.now() - since) / 1_000))} s`
}

/** Milliseconds between two looks at a lock that somebody holds. */
const INTERVAL = 100
/** Characters of a line. */
const LONGEST = 20_000
