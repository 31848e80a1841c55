import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Wire } from './client/wire.js'

export interface StreamsOptions {
  /** Most streams at once. */
  most: number
  /** Called when the first one begins, and when the last one has ended: nothing is done while nobody looks. */
  wake(): void
  sleep(): void
}

/** The open pages. One that does not read what it is sent is dropped. */
export class Streams {
  readonly #open = new Map<ServerResponse, { blockedAt: number | undefined }>()
  #ended = false

  constructor(readonly options: StreamsOptions) {}

  get size(): number {
    return this.#open.size
  }

  /**
   * Begins a stream.
   * @returns false when there are as many as may be, or this process leaves: the page comes back, to the one after it
   */
  begin(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#ended || this.#open.size >= this.options.most) return false
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      // no-transform: what compresses on the way would hold events back.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      // After its end the page must find the next process, and not this one on the same connection.
      connection: 'close'
    })
    request.socket.setNoDelay(true)
    const state: { blockedAt: number | undefined } = { blockedAt: undefined }
    this.#open.set(response, state)
    response.on('drain', () => {
      state.blockedAt = undefined
    })
    response.on('error', () => {})
    response.once('close', () => {
      this.#open.delete(response)
      if (this.#open.size === 0) this.options.sleep()
    })
    if (this.#open.size === 1) this.options.wake()
    return true
  }

  /** Sends an event to one stream. */
  tell<Name extends keyof Wire>(response: ServerResponse, name: Name, data: Wire[Name]): void {
    this.#write(response, textOf(name, data))
  }

  /** Sends an event to all. */
  tellAll<Name extends keyof Wire>(name: Name, data: Wire[Name]): void {
    if (this.#open.size === 0) return
    const text = textOf(name, data)
    for (const [response, { blockedAt }] of this.#open) {
      // The next frame says all that this one would have said.
      if (name === 'frame' && blockedAt !== undefined && performance.now() - blockedAt < PATIENCE) continue
      this.#write(response, text)
    }
  }

  /** Ends all streams, and begins no more. */
  end(): void {
    this.#ended = true
    for (const response of this.#open.keys()) response.end()
  }

  #write(response: ServerResponse, text: string): void {
    const state = this.#open.get(response)
    if (!state) return
    const late = state.blockedAt !== undefined && performance.now() - state.blockedAt >= PATIENCE
    if (late || response.writableLength > MOST_UNREAD) return void response.destroy()
    if (!response.write(text)) state.blockedAt ??= performance.now()
  }
}

function textOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** How long a page may leave unread what it was sent (ms), and how much of it (bytes). */
const PATIENCE = 10_000
const MOST_UNREAD = 1_000_000
