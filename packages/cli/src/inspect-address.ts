import { MapacheError } from '@mapache/core'

/** Where a debugger connects. */
export interface InspectAddress {
  host: string
  port: number
}

/**
 * Writes the address into an --inspect that came without one: as with Node, what follows it is no address.
 * @param args of the command line
 * @param takesValue whether an option has a value in the argument that follows it
 */
export function withInspectAddress(args: readonly string[], takesValue: (option: string) => boolean): string[] {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as string
    // What follows the entry is the entry's own.
    if (arg === '--' || !arg.startsWith('-')) break
    if (arg === '--inspect') {
      return args.with(index, `--inspect=${DEFAULT.host}:${DEFAULT.port}`)
    }
    if (takesValue(arg)) index += 1
  }
  return [...args]
}

/** @throws MAPACHE_OPTION_INVALID when it is no `[host:]port` */
export function parseInspect(text: string): InspectAddress {
  const [, host = DEFAULT.host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? []
  if (port === undefined || Number(port) > 65_535) {
    throw new MapacheError('MAPACHE_OPTION_INVALID', `--inspect must be [host:]port, got ${text}`)
  }
  return { host, port: Number(port) }
}

const DEFAULT: InspectAddress = { host: '127.0.0.1', port: 9229 }
