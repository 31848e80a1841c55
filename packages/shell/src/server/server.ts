import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Cluster } from '@mapache/core'
import type { KeyPair } from '../certificate.js'
import { type Credential, Throttle } from '../credential.js'
import { PROTOCOL } from '../frames.js'
import { BUILT_IN } from './built-in.js'
import { customCommands } from './custom.js'
import { LIMITS, type Limits } from './limits.js'
import { Session } from './session.js'
import type { Shared } from './shared.js'

export interface ServeOptions {
  /** What the commands act on. */
  cluster: Cluster
  /** PEM; `ca`: whose client certificates are let in. */
  tls: KeyPair & { ca?: readonly string[] }
  /** The password; it may be left out with `ca` alone. */
  credential?: Credential | undefined
  /** Takes a line for the log. */
  log(level: 'info' | 'warn', text: string): void
  /** URL of the module with the commands of the app. */
  commands?: string | undefined
  limits?: Partial<Limits>
  /** Who has tried passwords; default: one that knows nobody yet. */
  throttle?: Throttle
}

export interface ShellServer {
  /** Not listening yet. */
  readonly server: Server
  /** New connections get this certificate. */
  renew(pair: KeyPair): void
  /** Stops accepting, lets the commands that run finish, and says goodbye. @returns when nobody is left */
  retire(): Promise<void>
}

/**
 * Makes the shell's server, whoever's process it runs in.
 * @returns when the names of the app's commands are known
 * @throws Error when it would let in everybody
 */
export async function serveShell(options: ServeOptions): Promise<ShellServer> {
  const { cluster, tls, credential, log, commands, throttle = new Throttle() } = options
  const { ca = [] } = tls
  if (!credential && ca.length === 0) throw new Error('a shell needs a credential or ca')
  const limits = { ...LIMITS, ...options.limits }
  const retiring = new AbortController()
  const custom = await customCommands(commands, log)
  const shared: Shared = {
    cluster,
    credential,
    certified: ca.length > 0,
    throttle,
    commands: [...BUILT_IN, ...custom.commands],
    notice: custom.notice,
    limits,
    retiring: retiring.signal,
    log
  }
  const trust = ca.length > 0 ? { ca: [...ca] } : {}
  const context = (pair: KeyPair) => ({ cert: pair.cert, key: pair.key, minVersion: 'TLSv1.3', ...trust }) as const
  const server = createServer({
    ...context(tls),
    ALPNProtocols: [PROTOCOL],
    handshakeTimeout: Math.min(HANDSHAKE, limits.loginTimeout),
    // A script may close its side when it has said all, and wait for the answers.
    allowHalfOpen: true,
    // Who has none that we trust is told so by the session, and logged.
    requestCert: ca.length > 0,
    rejectUnauthorized: false
  })
  const pending = guard(server, limits)
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setKeepAlive(true, KEEP_ALIVE)
    // Answers are short, and a person waits for them.
    socket.setNoDelay(true)
    const at = placeOf(socket)
    const waiting = pending.get(at)
    if (waiting) waiting.secure = true
    void new Session(socket, shared).serve(() => pending.delete(at))
  })
  return {
    server,
    renew: (pair) => server.setSecureContext(context(pair)),
    async retire() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const { socket, secure } of pending.values()) if (!secure) socket.destroy()
      retiring.abort()
      await closed
    }
  }
}

interface Pending {
  readonly socket: Socket
  /** It has a session, which sees to its end. */
  secure: boolean
}

/** Keeps the connections within their limits. @returns those that have not logged in, by where they come from, oldest first */
function guard(server: Server, { connections, pending: most }: Limits): Map<string, Pending> {
  const pending = new Map<string, Pending>()
  server.maxConnections = connections
  // The connections below TLS: those whose handshake hangs count, too.
  server.on('connection', (socket: Socket) => {
    const at = placeOf(socket)
    const own = { socket, secure: false }
    pending.set(at, own)
    socket.on('close', () => pending.get(at) === own && pending.delete(at))
    const [oldest] = pending.values()
    if (pending.size > most) oldest?.socket.destroy()
  })
  // A handshake that fails harms its own connection only; one that takes too long is told of here, and not ended.
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return pending
}

function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** ms that a TLS handshake may take. */
const HANDSHAKE = 10_000
/** ms of silence after which the system asks whether the other side is still there. */
const KEEP_ALIVE = 10_000
