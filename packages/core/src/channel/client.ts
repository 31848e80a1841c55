import { EventEmitter, once } from 'node:events'
import net from 'node:net'
import { errorFromData, MapacheError } from '../errors.js'
import { encode, FrameReader, MESSAGE_LIMIT } from './frames.js'
import {
  checkDownward,
  type Downward,
  OPERATOR_TOKEN,
  OPERATOR_VERSION,
  PROTOCOL_VERSION,
  type Upward
} from './messages.js'

type Welcome = Extract<Downward, { type: 'welcome' }>
type Greeting = Extract<Downward, { type: 'welcome' | 'admitted' }>
type Request = Extract<Upward, { type: 'listen' | 'call' }>
type WithoutRequest<Message> = Message extends Request ? Omit<Message, 'request'> : never

/** A process's own end of the channel. Does not keep the process alive unless it waits for something. */
export class ChannelClient extends EventEmitter<{ message: [Downward]; closed: [] }> {
  readonly #socket: net.Socket
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #lastRequest = 0
  #holds = 0
  #closed = false

  private constructor(socket: net.Socket) {
    super()
    this.#socket = socket
    const reader = new FrameReader(MESSAGE_LIMIT)
    socket.on('data', (chunk: Buffer) => {
      let inputs: unknown[] = []
      try {
        inputs = reader.push(chunk)
      } catch {
        // No message of a supervisor's: nothing that comes after it can be understood.
        socket.destroy()
      }
      for (const input of inputs) this.#take(input)
    })
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
  }

  /**
   * Connects and says hello.
   * @returns the channel and the supervisor's welcome
   * @throws MAPACHE_CHANNEL_CLOSED when there is no supervisor, or it refuses this process; MAPACHE_CHANNEL_VERSION
   */
  static async connect(path: string, token: string): Promise<{ channel: ChannelClient; welcome: Welcome }> {
    const { channel, greeting } = await ChannelClient.#open(path, token, PROTOCOL_VERSION)
    return { channel, welcome: greeting as Welcome }
  }

  /**
   * Connects as an operator. The channel keeps the process alive until it is closed.
   * @throws as `connect`; also when a supervisor that is stopped or busy does not answer for 5 s: its system takes the
   *   connection all the same
   */
  static async operate(path: string): Promise<ChannelClient> {
    const { channel } = await ChannelClient.#open(path, OPERATOR_TOKEN, OPERATOR_VERSION, PATIENCE)
    channel.#socket.ref()
    channel.#holds = 1
    return channel
  }

  static async #open(path: string, token: string, version: number, patience?: number) {
    const socket = net.connect(path)
    try {
      await once(socket, 'connect')
    } catch (cause) {
      throw new MapacheError('MAPACHE_CHANNEL_CLOSED', `no supervisor answers at ${path}`, { cause })
    }
    const channel = new ChannelClient(socket)
    channel.send({ type: 'hello', version, token })
    const greeting = await new Promise<Greeting>((resolve, reject) => {
      let refusal = ''
      const late = () => {
        refusal = `the supervisor has not answered for ${patience} ms`
        channel.close()
      }
      const timer = patience === undefined ? undefined : setTimeout(late, patience)
      const take = (message: Downward) => {
        if (message.type === 'refused') refusal = message.reason
        if (message.type !== 'welcome' && message.type !== 'admitted') return
        channel.off('message', take).off('closed', gone)
        clearTimeout(timer)
        resolve(message)
      }
      const gone = () => {
        clearTimeout(timer)
        const code = refusal.startsWith('protocol version') ? 'MAPACHE_CHANNEL_VERSION' : 'MAPACHE_CHANNEL_CLOSED'
        reject(new MapacheError(code, refusal || 'the supervisor closed the channel'))
      }
      channel.on('message', take).on('closed', gone)
    })
    socket.unref()
    return { channel, greeting }
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Sends at once: on a Unix socket the bytes leave within this call, so that an error can precede an exit. */
  send(message: Upward): void {
    if (!this.#socket.destroyed) this.#socket.write(encode(message))
  }

  /**
   * Sends a request and waits for its reply, keeping the process alive meanwhile.
   * @throws what the supervisor answered, or MAPACHE_CHANNEL_CLOSED
   */
  async request(message: WithoutRequest<Request>): Promise<unknown> {
    if (this.#closed) throw new MapacheError('MAPACHE_CHANNEL_CLOSED', 'the supervisor is gone')
    this.#lastRequest += 1
    const request = this.#lastRequest
    return this.hold(
      new Promise((resolve, reject) => {
        this.#waiting.set(request, { resolve, reject })
        this.send({ ...message, request } as Request)
      })
    )
  }

  /** Keeps the process alive until the promise is settled. */
  async hold<Value>(promise: Promise<Value>): Promise<Value> {
    this.#holds += 1
    this.#socket.ref()
    try {
      return await promise
    } finally {
      this.#holds -= 1
      if (this.#holds === 0) this.#socket.unref()
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  /** In a process that was forked: the channel is the other's, who goes on using it. */
  abandon(): void {
    this.removeAllListeners()
    this.#socket.removeAllListeners('data')
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #take(input: unknown): void {
    const checked = checkDownward(input)
    // A newer supervisor may say more than this process knows; what it does not know it leaves.
    if ('refused' in checked) return
    const { message } = checked
    if (message.type !== 'reply') {
      this.emit('message', message)
      return
    }
    const waiting = this.#waiting.get(message.request)
    this.#waiting.delete(message.request)
    if (message.error) waiting?.reject(errorFromData(message.error))
    else waiting?.resolve(message.value)
  }

  #end(): void {
    this.#closed = true
    for (const { reject } of this.#waiting.values()) {
      reject(new MapacheError('MAPACHE_CHANNEL_CLOSED', 'the supervisor went away before it answered'))
    }
    this.#waiting.clear()
    this.emit('closed')
  }
}

/** Milliseconds that an operator waits for the supervisor's first word. */
const PATIENCE = 5_000
