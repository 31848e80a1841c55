// Runs in a thread of its own: one command of the app, or the question which there are. Whatever it does (throw, loop for
// ever, exit), the shell's other users do not notice.

import { EventEmitter } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import {
  type Downward,
  MESSAGE,
  METHODS,
  MOST_UNSENT,
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
  const recv = async () => Buffer.from(await request<Uint8Array>((id) => say({ type: 'recv', request: id })))
  await command(given.argv, (text: unknown) => send(String(text), given.unsent), recv, primaryOf(given))
}

/** Waits for the user's side rather than fill the memory: nobody else runs in this thread. */
function send(text: string, unsent: Int32Array): void {
  if (text.length > MOST_UNSENT) throw new RangeError(`a text to send may have ${MOST_UNSENT} characters`)
  for (let ahead = Atomics.load(unsent, 0); ahead > MOST_UNSENT; ahead = Atomics.load(unsent, 0)) {
    Atomics.wait(unsent, 0, ahead)
  }
  const size = Buffer.byteLength(text) + MESSAGE
  Atomics.add(unsent, 0, size)
  say({ type: 'send', text, size })
}

function primaryOf({ cluster }: Run): EventEmitter {
  const emitter = new EventEmitter()
  emitter.on('newListener', (event: string) => {
    if (emitter.listenerCount(event) === 0) say({ type: 'listen', event })
  })
  emitter.on('removeListener', (event: string) => {
    if (emitter.listenerCount(event) === 0) say({ type: 'unlisten', event })
  })
  events = emitter
  const call = (method: (typeof METHODS)[number], args: unknown[]) => {
    return request((id) => say({ type: 'call', request: id, method, args }))
  }
  const methods = METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)])
  return Object.assign(emitter, cluster, Object.fromEntries(methods), {
    send(message: { type?: unknown } | undefined) {
      if (message?.type !== 'restart') throw new TypeError("primary.send takes { type: 'restart' }")
      const reloaded = call('reload', []).then(() => {})
      // Who does not wait for it need not take care of its failure, which the log tells.
      reloaded.catch(() => {})
      return reloaded
    }
  })
}

function request<Value>(ask: (id: number) => void): Promise<Value> {
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
