import { parseArgs } from 'node:util'

export type Arguments = { command: 'help' } | { command: 'passwd' } | ({ command: 'connect' } & Target)

/** Where the shell is, and how it and its user are known. */
export interface Target {
  host: string
  port: number
  /** Files: who signed the shell's certificate; a certificate of one's own and its key. */
  ca: string | undefined
  cert: string | undefined
  key: string | undefined
}

/** The arguments are wrong; the message says how. */
export class Usage extends Error {}

/** @throws Usage */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args)
  if (values.help) return { command: 'help' }
  const [first, second] = positionals
  if (second !== undefined) throw new Usage(`it takes one address, got ${positionals.join(' ')}`)
  const { ca, cert, key } = values
  if (first === 'passwd') {
    if (ca ?? cert ?? key) throw new Usage('passwd takes no options')
    return { command: 'passwd' }
  }
  if ((cert === undefined) !== (key === undefined)) throw new Usage('--cert and --key go together')
  return { command: 'connect', ...parseAddress(first ?? ''), ca, cert, key }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: true })
  } catch (error) {
    throw new Usage((error as Error).message)
  }
}

/** `host:port`, `host`, `:port`, `port`, `[::1]:port`; what is left out is the default. */
function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(/^\d+$/.test(text) ? `:${text}` : text)
  const port = Number(match?.[3] ?? 7777)
  if (!match || port < 1 || port > 65_535) throw new Usage(`${text} is no address: give host:port`)
  return { host: match[1] || match[2] || '127.0.0.1', port }
}

const OPTIONS = {
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

export const HELP = `Usage: mapache shell [host:port]    default: 127.0.0.1:7777
       mapache shell passwd         make the hash of a password, for the option password

      --ca FILE     trust the shell if this authority signed its certificate, in place of the known fingerprint
      --cert FILE   a client certificate, if the shell asks for one
      --key FILE    its key
  -h, --help        print this

The password is asked for, or taken from MAPACHE_SHELL_PASSWORD. Commands may come from a pipe.
Exit codes: 0; 1 no connection, no login, or a command from a pipe that failed; 2 wrong arguments.
`
