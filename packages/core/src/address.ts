import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import path from 'node:path'
import type { BoundAddress, WantedAddress } from './channel/messages.js'
import { MapacheError } from './errors.js'
import { show } from './options.js'

/** One address to listen on, as the user gave it. */
export type ListenAddress =
  | { host?: string; port: number; ipv6Only?: boolean; backlog?: number }
  | { path: string; readableAll?: boolean; writableAll?: boolean; backlog?: number }

export type ListenCallback = (error?: Error | null, ...rest: never[]) => void

/** What `listen` takes: what `server.listen` takes, or an array of addresses. */
export type ListenArgs =
  | []
  | [callback: ListenCallback]
  | [address: number | string | ListenOptions | readonly (number | string | ListenOptions)[], callback?: ListenCallback]
  | [port: number | string, host: string, callback?: ListenCallback]
  | [port: number | string, host: string, backlog: number, callback?: ListenCallback]
  | [portOrPath: number | string, backlog: number, callback?: ListenCallback]

/** The options of `server.listen`. */
export interface ListenOptions {
  port?: number | string
  host?: string
  path?: string
  backlog?: number
  ipv6Only?: boolean
  readableAll?: boolean
  writableAll?: boolean
}

/**
 * Reads the arguments of a `listen` call.
 * @throws MAPACHE_LISTEN_INVALID when they name no address
 */
export function parseListen(args: readonly unknown[]): { addresses: ListenAddress[]; callback?: ListenCallback } {
  const rest = [...args]
  const callback = typeof rest.at(-1) === 'function' ? (rest.pop() as ListenCallback) : undefined
  while (rest.length > 0 && rest.at(-1) === undefined) rest.pop()
  const [first] = rest
  const addresses = Array.isArray(first) ? first.map((one) => parseAddress([one])) : [parseAddress(rest)]
  if (addresses.length === 0) throw invalid('an empty array')
  return { addresses, ...(callback ? { callback } : {}) }
}

/**
 * Reads one address from the arguments of `server.listen`, without the callback.
 * @throws MAPACHE_LISTEN_INVALID
 */
export function parseAddress(args: readonly unknown[]): ListenAddress {
  const [first, second, third] = args
  if (first === undefined || first === null) return { port: 0, ...backlogOf(second) }
  if (typeof first === 'object') {
    // A descriptor or a handle of the caller's would not reach the workers.
    const foreign = (first as { fd?: unknown }).fd !== undefined || '_handle' in first
    if (foreign || Array.isArray(first)) throw invalid(show(first))
    return parseOptions(first as Record<string, unknown>)
  }
  const port = toPort(first)
  if (port !== undefined) {
    if (typeof second === 'string') return { port, ...hostOf(second), ...backlogOf(third) }
    return { port, ...backlogOf(second ?? third) }
  }
  if (typeof first === 'string' && !isNumeric(first)) return { path: toPath(first), ...backlogOf(second) }
  throw invalid(show(first))
}

/** The addresses of `localhost` on both families; any other address is itself alone. */
export async function expandLocalhost(address: ListenAddress): Promise<ListenAddress[]> {
  if ('path' in address || address.host !== 'localhost') return [address]
  const found = await lookup('localhost', { all: true }).catch(() => [])
  const hosts = [...new Set(found.map((one) => one.address))]
  return hosts.length === 0 ? [address] : hosts.map((host) => ({ ...address, host }))
}

/** Makes of a user's address one that names no host: the form in which supervisor and workers compare addresses. */
export async function resolveAddress(address: ListenAddress): Promise<WantedAddress> {
  if ('path' in address) {
    const { backlog: _, ...wanted } = address
    return { ...wanted, path: path.resolve(address.path) }
  }
  const { host, port, ipv6Only } = address
  const only = ipv6Only ? { ipv6Only } : {}
  if (host === undefined) return { port, ...only }
  if (isIP(host)) return { host, port, ...only }
  try {
    return { host: (await lookup(host)).address, port, ...only }
  } catch (cause) {
    throw new MapacheError('MAPACHE_ADDRESS_UNAVAILABLE', `the host ${show(host)} is unknown`, { cause })
  }
}

/** One text for one address: what supervisor and workers compare. */
export function addressKey(address: WantedAddress): string {
  if ('path' in address) return `unix:${address.path}`
  const { host = '*', port, ipv6Only, ordinal } = address
  return `tcp:${host}:${port}${ipv6Only ? ':only6' : ''}${port === 0 ? `#${ordinal ?? 0}` : ''}`
}

/** The address as people write it: a URL without the scheme, or the path. */
export function formatAddress(address: BoundAddress | WantedAddress): string {
  if ('path' in address) return address.path
  const host = 'address' in address ? address.address : (address.host ?? '*')
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function parseOptions(options: Record<string, unknown>): ListenAddress {
  const { port, host, path: file, ipv6Only, readableAll, writableAll } = options
  const backlog = backlogOf(options.backlog)
  if (typeof file === 'string' && (port === undefined || port === null)) {
    const all = { ...(readableAll ? { readableAll: true } : {}), ...(writableAll ? { writableAll: true } : {}) }
    return { path: toPath(file), ...all, ...backlog }
  }
  if (file !== undefined && file !== null && port === undefined) throw invalid(`path: ${show(file)}`)
  const number = port === undefined || port === null ? 0 : toPort(port)
  if (number === undefined) throw invalid(`port: ${show(port)}`)
  return { port: number, ...hostOf(host), ...(ipv6Only ? { ipv6Only: true } : {}), ...backlog }
}

function hostOf(host: unknown): { host?: string } {
  if (host === undefined || host === null || host === '') return {}
  if (typeof host !== 'string') throw invalid(`host: ${show(host)}`)
  return { host }
}

function backlogOf(backlog: unknown): { backlog?: number } {
  if (backlog === undefined || backlog === null || backlog === 0) return {}
  if (!Number.isSafeInteger(backlog) || (backlog as number) < 0) throw invalid(`backlog: ${show(backlog)}`)
  return { backlog: backlog as number }
}

function toPort(value: unknown): number | undefined {
  if (typeof value === 'string' && (!isNumeric(value) || value.trim() === '')) return undefined
  const number = typeof value === 'string' ? Number(value) : value
  return Number.isInteger(number) && (number as number) >= 0 && (number as number) <= 65_535
    ? (number as number)
    : undefined
}

function isNumeric(text: string): boolean {
  return text.trim() === '' || !Number.isNaN(Number(text))
}

function toPath(file: string): string {
  // sun_path holds 108 bytes on Linux, 104 on macOS, the last of them a zero.
  if (file === '' || Buffer.byteLength(file) > 103) throw invalid(`path: ${show(file)} (1 to 103 bytes)`)
  return file
}

function invalid(got: string): MapacheError {
  return new MapacheError(
    'MAPACHE_LISTEN_INVALID',
    `listen() takes a port from 0 to 65535, { port, host }, { path }, a path, or an array of these, got ${got}`
  )
}
