import { closeSync } from 'node:fs'
import net, { type Server } from 'node:net'
import { addressKey, formatAddress, parseAddress, resolveAddress } from '../address.js'
import type { ChannelClient } from '../channel/client.js'
import type { BoundAddress, WantedAddress } from '../channel/messages.js'
import { MapacheError } from '../errors.js'
import { nextOrdinal } from '../supervisor/addresses.js'
import { HANDLE_COMMAND, type LaunchInfo } from '../supervisor/launch/launcher.js'
import { Connections } from './connections.js'
import { MAIN } from './registry.js'

export interface ListenHooks {
  /** In a mold, waits: only the processes that are forked from it listen. */
  passed(): Promise<void>
  /** Whether this process is to answer nobody but itself. */
  alone(): boolean
  /** Waits until the supervisor lets this worker serve. */
  activated(): Promise<void>
  /** A server is about to listen. */
  opening(connections: Connections): void
  /** It came to nothing. */
  failed(): void
  /** A server listens. */
  opened(connections: Connections, key: string, address: BoundAddress): void
}

/**
 * Takes over `listen` in a worker: the address is the supervisor's, and the server listens on the descriptor that was
 * inherited from it, or on one that the supervisor sends. To the app it looks as always.
 */
export class SharedListening {
  #channel!: ChannelClient
  #backlog = 0
  #receive: (() => number) | undefined
  readonly #inherited = new Map<string, { fd: number; address: BoundAddress }>()
  readonly #awaited = new Map<string, (handle: object) => void>()
  readonly #ordinals = new Map<string, number>()
  readonly #inUse = new Map<string, Server>()
  #resolving: Promise<unknown> = Promise.resolve()
  readonly #hooks: ListenHooks
  readonly #original = net.Server.prototype.listen as (...args: unknown[]) => Server

  constructor(hooks: ListenHooks) {
    this.#hooks = hooks
    process.on('internalMessage' as never, (message: { cmd?: string; key?: string }, handle: object) => {
      if (message.cmd === HANDLE_COMMAND && message.key) this.#awaited.get(message.key)?.(handle)
    })
  }

  /**
   * Takes what a launch brings.
   * @param receive takes the next descriptor that the supervisor sends; without it handles come by Node's IPC
   */
  attach(channel: ChannelClient, { listeners }: LaunchInfo, backlog: number, receive?: () => number): void {
    this.#channel = channel
    this.#backlog = backlog
    this.#receive = receive
    this.#inherited.clear()
    this.#ordinals.clear()
    this.#inUse.clear()
    for (const { key, fd, address } of listeners) this.#inherited.set(key, { fd, address })
  }

  /** Patches `net.Server.prototype.listen`, on which http, https and http2 stand too. */
  install(): void {
    const own = this
    net.Server.prototype.listen = function (this: Server, ...args: unknown[]) {
      return own.#listen(this, args)
    } as typeof net.Server.prototype.listen
  }

  /** Undoes it, for servers that listen from now on. */
  uninstall(): void {
    net.Server.prototype.listen = this.#original as typeof net.Server.prototype.listen
  }

  /** Closes what was inherited and is not listened on, or it would keep an address alive that nobody answers. */
  closeUnused(): void {
    for (const { fd } of this.#inherited.values()) closeSync(fd)
    this.#inherited.clear()
  }

  #listen(server: Server, args: unknown[]): Server {
    const request = sharedRequest(args)
    // Something else than an address (a descriptor, a handle), or asked not to be shared: Node's own business.
    if (!request) return this.#original.apply(server, args)
    if (server.listening || PENDING in server) {
      throw Object.assign(new Error('Listen method has been called more than once without closing.'), {
        code: 'ERR_SERVER_ALREADY_LISTEN'
      })
    }
    Object.defineProperty(server, PENDING, { value: true, configurable: true })
    if (request.callback) server.once('listening', request.callback as () => void)
    this.#share(server, args, request).catch((error) => {
      delete (server as { [PENDING]?: true })[PENDING]
      this.#hooks.failed()
      // Outside of the promise: where nobody listens for it, it is an uncaught error as always.
      process.nextTick(() => server.emit('error', error))
    })
    return server
  }

  async #share(server: Server, args: unknown[], request: SharedRequest): Promise<void> {
    const connections = trackServer(server)
    const signal = (args[0] as { signal?: AbortSignal } | null)?.signal
    await this.#hooks.passed()
    this.#hooks.opening(connections)
    if (this.#hooks.alone()) return this.#listenAlone(connections)
    const wanted = await this.#channel.hold(this.#resolve(server, request))
    await this.#channel.hold(this.#hooks.activated())
    if (signal?.aborted) return
    signal?.addEventListener('abort', () => server.close(), { once: true })
    const { target, address } = await this.#obtain(wanted, server)
    delete (server as { [PENDING]?: true })[PENDING]
    // Ahead of the app's own listeners, which may print where it listens.
    server.prependOnceListener('listening', () => this.#check(connections, addressKey(wanted), address))
    // In the options of `{ fd }` Node leaves the backlog out of account.
    this.#original.call(server, target, request.address.backlog ?? this.#backlog)
  }

  /** On a port that nobody else is told of. */
  #listenAlone(connections: Connections): void {
    const { server } = connections
    delete (server as { [PENDING]?: true })[PENDING]
    server.prependOnceListener('listening', () => {
      const { address, family, port } = server.address() as net.AddressInfo
      const bound = { address, family: family as 'IPv4', port }
      this.#hooks.opened(connections, formatAddress(bound), bound)
    })
    this.#original.call(server, { port: 0, host: '127.0.0.1' })
  }

  /** Servers that listen on any free port are numbered, so that each has the same port in all workers. */
  #resolve(server: Server, request: SharedRequest): Promise<WantedAddress> {
    const resolving = resolveAddress(request.address)
    const number = async (): Promise<WantedAddress> => {
      const wanted = await resolving
      if ('path' in wanted || wanted.port !== 0) return wanted
      const { host = '*' } = wanted
      // The first numbers are for what the supervisor bound, whatever else the app opens before that.
      const first = MAIN in server ? 0 : OTHERS
      return { ...wanted, ordinal: first + nextOrdinal(this.#ordinals, `${first} ${host}`) }
    }
    // In the order of the calls: look-ups end in another in each worker.
    const numbered = Promise.allSettled([this.#resolving, resolving]).then(number)
    this.#resolving = numbered
    return numbered
  }

  /** The socket for an address: inherited, or asked of the supervisor. */
  async #obtain(wanted: WantedAddress, server: Server): Promise<{ target: object; address: BoundAddress }> {
    const key = addressKey(wanted)
    if (this.#inUse.get(key)?.listening) throw addressInUse(wanted)
    this.#inUse.set(key, server)
    const inherited = this.#inherited.get(key) ?? this.#byBoundAddress(wanted)
    if (inherited) {
      for (const [other, { fd }] of this.#inherited) if (fd === inherited.fd) this.#inherited.delete(other)
      return { target: { fd: inherited.fd }, address: inherited.address }
    }
    if (this.#receive) {
      // The descriptor is sent ahead of the answer.
      const address = (await this.#channel.request({ type: 'listen', address: wanted })) as BoundAddress
      return { target: { fd: this.#receive() }, address }
    }
    const handle = new Promise<object>((resolve) => this.#awaited.set(key, resolve))
    try {
      const address = (await this.#channel.request({ type: 'listen', address: wanted })) as BoundAddress
      return { target: await this.#channel.hold(handle), address }
    } finally {
      this.#awaited.delete(key)
    }
  }

  /** An address that was bound with port 0 may be asked for by the port that it got. */
  #byBoundAddress(wanted: WantedAddress) {
    if (!('port' in wanted) || wanted.port === 0) return undefined
    return [...this.#inherited.values()].find(({ address }) => {
      return 'port' in address && address.port === wanted.port && address.address === wanted.host
    })
  }

  /** libuv can come to listen on another address than the descriptor's, silently; then this worker must not serve. */
  #check(connections: Connections, key: string, expected: BoundAddress): void {
    const { server } = connections
    if ('path' in expected) {
      // Node knows no path of an inherited descriptor, and frameworks print what address() returns.
      server.address = () => expected.path
    } else {
      const actual = server.address() as net.AddressInfo | null
      if (actual?.port !== expected.port || actual.address !== expected.address) {
        const got = JSON.stringify(actual)
        throw new MapacheError('MAPACHE_ADDRESS_MISMATCH', `given ${JSON.stringify(expected)}, listening on ${got}`)
      }
    }
    this.#hooks.opened(connections, key, expected)
  }
}

/** The connections of a server, watched from the first one on. */
export function trackServer(server: Server): Connections {
  const known = tracked.get(server) ?? new Connections(server)
  tracked.set(server, known)
  return known
}

interface SharedRequest {
  address: ReturnType<typeof parseAddress>
  callback?: unknown
}

function sharedRequest(args: readonly unknown[]): SharedRequest | undefined {
  const rest = [...args]
  const callback = typeof rest.at(-1) === 'function' ? rest.pop() : undefined
  const [first] = rest
  if (first !== null && typeof first === 'object') {
    const { fd, exclusive, reusePort, port, path } = first as Record<string, unknown>
    const isHandle = '_handle' in first || typeof (first as { getsockname?: unknown }).getsockname === 'function'
    if (isHandle || fd !== undefined || exclusive || reusePort || (port === undefined && path === undefined)) {
      return undefined
    }
  }
  try {
    return { address: parseAddress(rest), callback }
  } catch {
    // Node says what is wrong with it, in the words that the app expects.
    return undefined
  }
}

function addressInUse(address: WantedAddress): Error {
  const at = addressKey(address)
  return Object.assign(new Error(`listen EADDRINUSE: address already in use ${at}`), {
    code: 'EADDRINUSE',
    syscall: 'listen'
  })
}

const tracked = new WeakMap<Server, Connections>()
/** The ordinal of the first server that is not the app's main one. */
const OTHERS = 1_000
const PENDING = Symbol('mapache.pending')
