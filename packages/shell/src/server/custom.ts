import { Worker } from 'node:worker_threads'
import type { Cluster } from '@mapache/core'
import { BUILT_IN } from './built-in.js'
import type { Command, Run } from './command.js'
import { describeError, oneLine, Told } from './text.js'
import {
  type Downward,
  METHODS,
  packError,
  packFields,
  type ThreadData,
  type Upward,
  unpackError
} from './thread-messages.js'

/**
 * The commands of the app. A module that cannot be loaded does not keep the shell from serving: one may need it then.
 * @param module its URL
 * @returns the commands, and what is wrong, for the users to know
 */
export async function customCommands(
  module: string | undefined,
  log: (level: 'info' | 'warn', text: string) => void
): Promise<{ commands: Command[]; notice: string | undefined }> {
  if (module === undefined) return { commands: [], notice: undefined }
  try {
    const names = await namesOf(module)
    const taken = names.filter((name) => !/^[\w:.-]+$/.test(name) || name.startsWith('.') || isBuiltIn(name))
    const notice =
      taken.length > 0
        ? `These names cannot be used for commands: ${taken.map((it) => oneLine(it)).join(', ')}`
        : undefined
    if (notice !== undefined) log('warn', `${module}: ${notice}`)
    return { commands: names.filter((name) => !taken.includes(name)).map((name) => command(module, name)), notice }
  } catch (error) {
    log('warn', `the commands of ${module} cannot be used: ${describeError(error)}`)
    return { commands: [], notice: `The commands of the app cannot be used: ${describeError(error)}` }
  }
}

function isBuiltIn(name: string): boolean {
  return BUILT_IN.some((one) => one.name.split(' ')[0] === name)
}

function namesOf(module: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const thread = startThread({ module })
    const timer = setTimeout(() => end(() => reject(new Told(`it was not loaded within ${LOAD / 1_000} s`))), LOAD)
    const end = (how: () => void) => {
      clearTimeout(timer)
      void thread.terminate()
      how()
    }
    thread.on('message', (message: Upward) => {
      if (message.type === 'names') end(() => resolve(message.names))
      else if (message.type === 'failed') end(() => reject(unpackError(message.error)))
    })
    thread.on('error', (error) => end(() => reject(error)))
    thread.on('exit', (code) => end(() => reject(new Told(`it ended with code ${code} while it was loaded`))))
  })
}

function command(module: string, name: string): Command {
  return {
    name,
    usage: '[...]',
    summary: 'of the app',
    custom: true,
    run: (run, args) => runInThread(module, name, run, args)
  }
}

/** Runs it in a thread of its own, which is ended with it, or when the user gets out of it. */
async function runInThread(module: string, name: string, run: Run, argv: readonly string[]): Promise<void> {
  // So that what the cluster tells of itself is of now.
  await run.cluster.status()
  if (run.signal.aborted) return
  const { role, generation, workers, addresses } = run.cluster
  const unsettled = new Int32Array(new SharedArrayBuffer(4))
  const cluster = { role, generation, workers: structuredClone(workers), addresses: structuredClone(addresses) }
  const thread = startThread({ module, run: { name, argv: [...argv], unsettled, cluster } })
  const helper = new Helper(thread, run, unsettled)
  try {
    await new Promise<void>((resolve, reject) => {
      run.signal.addEventListener('abort', () => resolve(), { once: true })
      thread.on('message', (message: Upward) => {
        if (message.type === 'done') resolve()
        else if (message.type === 'failed') reject(unpackError(message.error))
        else if (message.type !== 'names') helper.take(message)
      })
      thread.on('error', reject)
      thread.on('exit', (code) => reject(new Told(`${name} ended its thread with code ${code}.`)))
    })
  } finally {
    // First of all: whatever else goes wrong, it must not run on.
    const terminated = thread.terminate()
    helper.end()
    await terminated
  }
}

/** Does for a thread what it cannot do itself. */
class Helper {
  readonly #thread: Worker
  readonly #run: Run
  readonly #unsettled: Int32Array
  readonly #listeners = new Map<string, (...args: unknown[]) => void>()
  #ended = false

  constructor(thread: Worker, run: Run, unsettled: Int32Array) {
    this.#thread = thread
    this.#run = run
    this.#unsettled = unsettled
  }

  take(message: Exclude<Upward, { type: 'done' | 'failed' | 'names' }>): void {
    // What it had said already still arrives while it is being ended: a listener of then nobody would remove.
    if (this.#ended) return
    const { cluster, send, recv } = this.#run
    switch (message.type) {
      case 'send':
        return void send(message.text).then(() => this.#settle(message.size))
      case 'recv':
        return void this.#reply(message.request, recv)
      case 'call':
        return void this.#reply(message.request, () => {
          // The thread runs code of the app, which may say anything.
          if (!METHODS.includes(message.method)) throw new TypeError(`${message.method} cannot be called from a thread`)
          const method = cluster[message.method] as (...args: unknown[]) => Promise<unknown>
          return method.apply(cluster, message.args)
        })
      case 'listen':
        this.#listen(cluster, message.event)
        return this.#settle(message.size)
      case 'unlisten':
        this.#unlisten(cluster, message.event)
        return this.#settle(message.size)
      default:
        message satisfies never
    }
  }

  #settle(size: number): void {
    Atomics.sub(this.#unsettled, 0, size)
    Atomics.notify(this.#unsettled, 0)
  }

  end(): void {
    this.#ended = true
    for (const event of [...this.#listeners.keys()]) this.#unlisten(this.#run.cluster, event)
  }

  /** Never rejects: what goes wrong is the answer. */
  async #reply(request: number, work: () => Promise<unknown>): Promise<void> {
    try {
      const value = await work()
      this.#say({ type: 'reply', request, ...(value === undefined ? {} : { value }) })
    } catch (error) {
      this.#say({ type: 'reply', request, error: packError(error) })
    }
  }

  #listen(cluster: Cluster, event: string): void {
    if (this.#listeners.has(event) || OWN_EVENTS.has(event)) return
    const listener = (...args: unknown[]) => this.#say({ type: 'event', event, args: args.map(packFields) })
    this.#listeners.set(event, listener)
    cluster.on(event as 'start', listener)
  }

  #unlisten(cluster: Cluster, event: string): void {
    const listener = this.#listeners.get(event)
    if (listener) cluster.off(event as 'start', listener)
    this.#listeners.delete(event)
  }

  #say(message: Downward): void {
    this.#thread.postMessage(message)
  }
}

function startThread(workerData: ThreadData): Worker {
  return new Worker(new URL('./thread.js', import.meta.url), {
    workerData,
    execArgv: threadArguments(process.execArgv),
    // A command that eats memory ends alone.
    resourceLimits: { maxOldGenerationSizeMb: 512 }
  })
}

/**
 * What of this process's arguments for Node.js a thread is to have: what loads modules (TypeScript), and nothing that is for
 * whole processes, which a thread refuses.
 */
export function threadArguments(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const [name = ''] = arg.split('=')
    if (!LOADING.has(name)) return []
    return arg.includes('=') ? [arg] : [arg, args[at + 1] ?? '']
  })
}

const LOADING = new Set(['--import', '--require', '-r', '--loader', '--experimental-loader', '--conditions', '-C'])

/** Of the emitter itself: they tell of everybody's listeners. */
const OWN_EVENTS: ReadonlySet<string> = new Set(['newListener', 'removeListener'])
/** ms that the module of the commands may take to load. */
const LOAD = 10_000
