import { type AsyncHook, createHook } from 'node:async_hooks'
import { fileURLToPath } from 'node:url'
import type { OpenData } from '../channel/messages.js'

/** Something that was opened and not closed yet. */
interface Resource {
  type: string
  /** Node's own object: it knows its descriptor or pid by the time it is asked. */
  resource: { fd?: number; pid?: number; _idleTimeout?: number }
  by: string | undefined
}

/** Who opened what, seen by async hooks: they alone show timers that are unref'd, and the code that began something. */
export class Origins {
  readonly #live = new Map<number, Resource>()
  readonly #hook: AsyncHook

  constructor() {
    const live = this.#live
    this.#hook = createHook({
      init(id, type, _trigger, resource) {
        if (KINDS.has(type)) live.set(id, { type, resource, by: opener() })
      },
      destroy(id) {
        live.delete(id)
      }
    })
  }

  watch(): void {
    this.#hook.enable()
  }

  unwatch(): void {
    this.#hook.disable()
  }

  ofDescriptor(fd: number): string | undefined {
    return this.#find(({ resource }) => resource.fd === fd)
  }

  ofChild(pid: number): string | undefined {
    return this.#find(({ type, resource }) => type === 'PROCESSWRAP' && resource.pid === pid)
  }

  ofThread(): string | undefined {
    return this.#find(({ type }) => type === 'WORKER')
  }

  timers(): OpenData[] {
    const found: OpenData[] = []
    for (const { type, resource, by } of this.#live.values()) {
      if (type !== 'Timeout' || by === undefined) continue
      found.push({ what: `a timer of ${resource._idleTimeout} ms`, by })
    }
    return found.slice(0, MOST_TIMERS)
  }

  #find(test: (resource: Resource) => boolean): string | undefined {
    for (const one of this.#live.values()) if (test(one)) return one.by
    return undefined
  }
}

/** The innermost file of the stack that is neither Node's nor this package's: the module, as far as it can be told. */
export function opener(): string | undefined {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 50
  const { stack = '' } = new Error()
  Error.stackTraceLimit = limit
  for (const line of stack.split('\n').slice(1)) {
    const [, file] = /[\s(]((?:file:\/\/)?\/[^()]+?):\d+:\d+\)?$/.exec(line) ?? []
    if (!file) continue
    const path = file.startsWith('file:') ? fileURLToPath(file) : file
    if (!path.startsWith(OWN)) return path
  }
  return undefined
}

const OWN = fileURLToPath(new URL('../', import.meta.url))
const KINDS: ReadonlySet<string> = new Set([
  'TCPWRAP',
  'TCPSERVERWRAP',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'UDPWRAP',
  'PROCESSWRAP',
  'WORKER',
  'Timeout'
])
const MOST_TIMERS = 20
