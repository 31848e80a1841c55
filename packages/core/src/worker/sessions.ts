import { createHash } from 'node:crypto'
import type { Server } from 'node:net'

interface TlsServer {
  setTicketKeys?(keys: Buffer): void
  /** The app's own, if it gave some. */
  ticketKeys?: Buffer
  sessionIdContext?: string
  _sharedCreds?: { context: { setSessionIdContext(context: string): void } }
}

/**
 * Lets TLS sessions resume on any worker of the cluster, and after a reload: the workers share the keys of the tickets
 * and the context that a session belongs to, which Node makes of the process's arguments, and so of the release's path.
 * What the app has set itself stays.
 * @param keys 48 bytes as hexadecimal text
 */
export function shareSessions(server: Server, keys: string, cluster: string): void {
  const tls = server as TlsServer
  if (!tls.setTicketKeys) return
  if (tls.ticketKeys === undefined) tls.setTicketKeys(Buffer.from(keys, 'hex'))
  if (tls.sessionIdContext === contextOf(process.argv.join(' '))) {
    tls.sessionIdContext = contextOf(cluster)
    tls._sharedCreds?.context.setSessionIdContext(tls.sessionIdContext)
  }
}

/** As Node does: what of a SHA-1 fits. */
function contextOf(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 32)
}
