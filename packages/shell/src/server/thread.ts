// Runs in a thread of its own: one command of the app, or the question which there are. Whatever it does (throw, loop for
// ever, exit), the shell's other users do not notice.

import { EventEmitter } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import {
  type Downward,
  MESSAGE,
  METHODS,
  MOST_REQUESTS,
  MOST_UNSETTLED,
  packError,
  type ThreadData,
  type Upward,
  unpackError,
  unpackFields
} from './thread-messages.js'

type Run = NonNullable<ThreadData['run']>

const { module, run } = workerData as ThreadData
const port = parentPort
if (!port) throw new Error('this script is run by the shell only')
const say = (message: Upward) => port.postMessage(message)
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
let requests = 0
let events: EventEmitter | undefined

try {
  const commands = commandsOf((await import(module)).default)
  if (run) {
    await perform(commands[run.name], run)
    say({ type: 'done' })
  } else {
    say({ type: 'names', names: Object.keys(commands) })
  }
} catch (error) {
  say({ type: 'failed', error: packError(error) })
}

type Commands = Record<string, (...args: unknown[]) => unknown>

function commandsOf(found: unknown): Commands {
  const isObject = found !== null && typeof found === 'object'
  const wrong = isObject ? Object.entries(found).find(([, command]) => typeof command !== 'function')?.[0] : undefined
  if (!isObject || wrong !== undefined) {
    const what = wrong === undefined ? 'must be an object of functions' : `has ${wrong}, which is no function`
    throw new TypeError(`the default export of ${module} ${what}`)
  }
  return found as Commands
}

async function perform(command: Commands[string] | undefined, given: Run): Promise<void> {
  if (!command) throw new Error(`${given.name} is gone from ${module}`)
  port?.on('message', take)
  const send = (text: unknown) => sayAndCount({ type: 'send', text: textOf(text), size: MESSAGE }, given)
  const recv = async () => Buffer.from(await request<Uint8Array>((id) => say({ type: 'recv', request: id })))
  await command(given.argv, send, recv, primaryOf(given))
}

function textOf(given: unknown): string {
  const text = String(given)
  if (text.length > MOST_UNSETTLED) throw new RangeError(`a text to send may have ${MOST_UNSETTLED} characters`)
  return text
}

/** Waits for the other side rather than fill the memory: nobody else runs in this thread. */
function sayAndCount(message: Extract<Upward, { size: number }>, { unsettled }: Run): void {
  for (let ahead = Atomics.load(unsettled, 0); ahead > MOST_UNSETTLED; ahead = Atomics.load(unsettled, 0)) {
    Atomics.wait(unsettled, 0, ahead)
  }
  const size = message.size + (message.type === 'send' ? Buffer.byteLength(message.text) : 0)
  Atomics.add(unsettled, 0, size)
  say({ ...message, size })
}

function primaryOf(given: Run): EventEmitter {
  const emitter = new EventEmitter()
  emitter.on('newListener', (event: string) => {
    // Its own, and none of the cluster's.
    if (event === 'removeListener') return
    if (emitter.listenerCount(event) === 0) sayAndCount({ type: 'listen', event, size: MESSAGE }, given)
  })
  emitter.on('removeListener', (event: string) => {
    if (emitter.listenerCount(event) === 0) sayAndCount({ type: 'unlisten', event, size: MESSAGE }, given)
  })
  events = emitter
  const call = (method: (typeof METHODS)[number], args: unknown[]) => {
    return request((id) => say({ type: 'call', request: id, method, args }))
  }
  const methods = METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)])
  return Object.assign(emitter, given.cluster, Object.fromEntries(methods), {
    send(message: { type?: unknown } | undefined) {
      if (message?.type !== 'restart') throw new TypeError("primary.send takes { type: 'restart' }")
      const reloaded = call('reload', []).then(() => {})
      // Who does not wait for it need not take care of its failure, which the log tells.
      reloaded.catch(() => {})
      return reloaded
    }
  })
}

async function request<Value>(ask: (id: number) => void): Promise<Value> {
  // The answers would fill the memory of a thread that never comes to read them.
  if (waiting.size >= MOST_REQUESTS) throw new Error(`only ${MOST_REQUESTS} requests may wait for their answers`)
  requests += 1
  const id = requests
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    ask(id)
  })
}

function take(message: Downward): void {
  if (message.type === 'event') {
    events?.emit(message.event, ...message.args.map(unpackFields))
    return
  }
  const { resolve, reject } = waiting.get(message.request) ?? {}
  waiting.delete(message.request)
  if (message.error) reject?.(unpackError(message.error))
  else resolve?.(message.value as never)
}
