import { lstatSync, unlinkSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { getSystemErrorName } from 'node:util'
import { addressKey, formatAddress } from '../address.js'
import type { BoundAddress, WantedAddress } from '../channel/messages.js'
import { MapacheError } from '../errors.js'

/** A socket that the supervisor bound and never listens on. */
export interface Listener {
  readonly key: string
  readonly address: BoundAddress
  readonly fd: number
  /** Node's raw handle: what its IPC passes to a running process. */
  readonly handle: RawHandle
  /** Of a Unix socket's file, so that nobody removes another's. */
  readonly inode?: number
}

interface RawHandle {
  readonly fd: number
  getsockname?(out: object): number
  fchmod?(mode: number): number
  close(): void
}

/**
 * The sockets of the cluster. The supervisor binds them without listening, and keeps them open as long as it lives;
 * workers inherit the descriptor and listen on it, so that there is one kernel queue for all.
 */
export class Listeners {
  readonly #byKey = new Map<string, Listener>()
  readonly #binding = new Map<string, Promise<Listener>>()

  get all(): readonly Listener[] {
    return [...this.#byKey.values()]
  }

  /** The addresses bound, each once. */
  get addresses(): readonly BoundAddress[] {
    return this.all.map(({ address }) => address)
  }

  /** The files of the Unix sockets among them. */
  get sockets(): { path: string; inode: number }[] {
    return this.all.flatMap(({ address, inode }) => ('path' in address && inode ? [{ path: address.path, inode }] : []))
  }

  /**
   * Binds an address, or gives the socket that has it.
   * @param patient whether somebody who will leave soon may hold the address: then it is tried again for a while
   * @throws MAPACHE_ADDRESS_IN_USE, MAPACHE_ADDRESS_DENIED, MAPACHE_ADDRESS_UNAVAILABLE
   */
  async bind(wanted: WantedAddress, patient: () => boolean = () => false): Promise<Listener> {
    const key = addressKey(wanted)
    const known = this.#byKey.get(key) ?? this.#binding.get(key)
    if (known) return known
    const binding = this.#bind(key, wanted, patient)
    this.#binding.set(key, binding)
    try {
      const listener = await binding
      this.#byKey.set(key, listener)
      return listener
    } finally {
      this.#binding.delete(key)
    }
  }

  /** Gives an address up, when no worker listens on it any more. */
  release(key: string): void {
    const listener = this.#byKey.get(key)
    if (!listener) return
    this.#byKey.delete(key)
    closeListener(listener)
  }

  /** Closes the supervisor's own descriptors; sockets live on while a worker has one. Files stay: see `removeFiles`. */
  closeDescriptors(): Listener[] {
    const closed = this.all
    for (const { handle } of closed) handle.close()
    this.#byKey.clear()
    return [...closed]
  }

  async #bind(key: string, wanted: WantedAddress, patient: () => boolean): Promise<Listener> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      try {
        return 'path' in wanted ? await bindPath(key, wanted) : bindTcp(key, wanted)
      } catch (error) {
        const inUse = (error as MapacheError).code === 'MAPACHE_ADDRESS_IN_USE'
        if (!inUse || performance.now() > deadline || !patient()) throw error
        await sleep(RETRY)
      }
    }
  }
}

/** Removes the files of the Unix sockets among what was closed. */
export function removeSocketFiles(closed: readonly Pick<Listener, 'address' | 'inode'>[]): void {
  for (const { address, inode } of closed) if ('path' in address) removeSocketFile(address.path, inode)
}

/** Removes a Unix socket's file, if it is still the one that was bound. */
function removeSocketFile(file: string, inode: number | undefined): void {
  try {
    if (inode !== undefined && lstatSync(file).ino === inode) unlinkSync(file)
  } catch {
    // Gone already.
  }
}

function closeListener({ handle, address, inode }: Listener): void {
  handle.close()
  if ('path' in address) removeSocketFile(address.path, inode)
}

function bindTcp(key: string, wanted: Exclude<WantedAddress, { path: string }>): Listener {
  const { host, port, ipv6Only } = wanted
  const handle =
    host === undefined
      ? bindAny(port, ipv6Only === true, wanted)
      : bindRaw(host, port, net.isIPv6(host) ? 6 : 4, ipv6Only === true, wanted)
  const bound = {} as Exclude<BoundAddress, { path: string }>
  handle.getsockname?.(bound)
  const { address, family, port: actual } = bound
  return { key, address: { address, family, port: actual }, fd: handle.fd, handle }
}

/** No host: IPv6 with IPv4 in it, or IPv4 alone where there is no IPv6, as Node does. */
function bindAny(port: number, ipv6Only: boolean, wanted: WantedAddress): RawHandle {
  try {
    return bindRaw('::', port, 6, ipv6Only, wanted)
  } catch (error) {
    if ((error as MapacheError).code !== 'MAPACHE_ADDRESS_UNAVAILABLE') throw error
    return bindRaw('0.0.0.0', port, 4, false, wanted)
  }
}

/**
 * Binds without listening, with what node:cluster itself uses. libuv keeps "address in use" back until listen or
 * getsockname, so the latter is asked at once: without it a worker would come to listen on a random port.
 */
function bindRaw(host: string, port: number, family: 4 | 6, ipv6Only: boolean, wanted: WantedAddress): RawHandle {
  const handle = createServerHandle(host, port, family, undefined, ipv6Only ? UV_TCP_IPV6ONLY : 0)
  if (typeof handle === 'number') throw bindError(handle, wanted)
  const status = handle.getsockname?.({}) ?? 0
  if (status === 0) return handle
  handle.close()
  throw bindError(status, wanted)
}

async function bindPath(key: string, wanted: Extract<WantedAddress, { path: string }>): Promise<Listener> {
  const file = wanted.path
  // The system would cut it, and bind another.
  if (Buffer.byteLength(file) > LONGEST_PATH) {
    const text = `the path of a Unix socket has at most ${LONGEST_PATH} bytes: ${file}`
    throw new MapacheError('MAPACHE_ADDRESS_UNAVAILABLE', text)
  }
  const created = createServerHandle(file, -1, -1)
  if (typeof created === 'number') {
    if (getSystemErrorName(created) !== 'EADDRINUSE') throw bindError(created, wanted)
    await removeStale(wanted)
    return bindPath(key, wanted)
  }
  const mode = (wanted.readableAll ? UV_READABLE : 0) | (wanted.writableAll ? UV_WRITABLE : 0)
  if (mode) created.fchmod?.(mode)
  return { key, address: { path: file }, fd: created.fd, handle: created, inode: lstatSync(file).ino }
}

/** Removes a socket file that nobody listens behind. */
async function removeStale(wanted: Extract<WantedAddress, { path: string }>): Promise<void> {
  const file = wanted.path
  let isSocket = false
  try {
    isSocket = lstatSync(file).isSocket()
  } catch {
    return
  }
  if (!isSocket) {
    throw new MapacheError('MAPACHE_ADDRESS_IN_USE', `${file} exists and is no socket; it is not touched`)
  }
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = net.connect(file, () => resolve(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    socket.on('connect', () => socket.destroy())
  })
  if (code === undefined || code === 'EAGAIN') throw bindError(-EADDRINUSE, wanted)
  if (code === 'ECONNREFUSED') unlinkSync(file)
  else if (code !== 'ENOENT') throw new MapacheError('MAPACHE_ADDRESS_DENIED', `${file} is held: ${code}`)
}

function bindError(status: number, wanted: WantedAddress): MapacheError {
  const name = getSystemErrorName(status)
  const where = formatAddress(wanted)
  if (name === 'EADDRINUSE') {
    return new MapacheError('MAPACHE_ADDRESS_IN_USE', `${where} is in use by another process (${name})`)
  }
  if (name === 'EACCES' || name === 'EPERM') {
    return new MapacheError('MAPACHE_ADDRESS_DENIED', `this user may not listen on ${where} (${name})`)
  }
  return new MapacheError('MAPACHE_ADDRESS_UNAVAILABLE', `cannot listen on ${where} (${name})`)
}

/** Undocumented, and what node:cluster's own primary is made with. */
const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle(
    address: string,
    port: number,
    addressType: 4 | 6 | -1,
    fd?: number,
    flags?: number
  ): RawHandle | number
}

const UV_TCP_IPV6ONLY = 1
const UV_READABLE = 1
const UV_WRITABLE = 2
const EADDRINUSE = process.platform === 'darwin' ? 48 : 98
/** Bytes, without the one that ends it. */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107
/** Milliseconds: how long the leaving workers of a dead supervisor are waited for, and between two tries. */
const PATIENCE = 10_000
const RETRY = 50
