import type { TLSSocket } from 'node:tls'
import type { Credential } from '../credential.js'
import type { Inbox } from './inbox.js'
import type { Output } from './output.js'
import { Left, type Shared } from './shared.js'
import { oneLine } from './text.js'

export interface LoginParts {
  readonly socket: TLSSocket
  readonly inbox: Inbox
  readonly output: Output
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal
}

/**
 * Finds out who it is, and whether that user may come in.
 * @returns the user, as the log names it
 * @throws Left when it may not
 */
export async function login(parts: LoginParts, shared: Shared): Promise<string> {
  const { remoteAddress: address = '', remotePort } = parts.socket
  let who = `${address}:${remotePort}`
  if (shared.certified) who = `${certifiedName(parts.socket, who, shared)} at ${who}`
  if (shared.credential) await askPassword(shared.credential, who, address, parts, shared)
  shared.log('info', `${who} logged in`)
  return who
}

function certifiedName(socket: TLSSocket, who: string, { log }: Shared): string {
  const { authorized, authorizationError } = socket
  // Of a resumed session Node.js calls authorized what it has not looked at: also who had no certificate at first.
  const resumed = socket.isSessionReused() || socket.getPeerX509Certificate() === undefined
  if (!authorized || resumed) {
    const why = authorizationError ?? (socket.isSessionReused() ? 'not shown again in a resumed session' : 'none')
    log('warn', `login of ${who} failed: its certificate: ${why}`)
    throw new Left('refused', 'The shell asks for a client certificate that it trusts.')
  }
  return oneLine(String(socket.getPeerCertificate().subject?.CN ?? 'somebody'), 60)
}

async function askPassword(
  credential: Credential,
  who: string,
  address: string,
  { inbox, output, signal }: LoginParts,
  { throttle, limits, log }: Shared
): Promise<void> {
  if (throttle.locked(address) > 0) throw lockedOut()
  for (let attempt = 1; attempt <= limits.attempts; attempt++) {
    output.login()
    const password = await inbox.take(signal)
    const result = await throttle.tried(address, () => credential.verify(password), signal)
    signal.throwIfAborted()
    if (result === 'right') return
    if (result === 'locked') throw lockedOut()
    const last = throttle.locked(address) > 0 ? '; this address is locked out now' : ''
    log('warn', `login of ${who} failed: wrong password${last}`)
    output.denied('Wrong password.')
  }
  throw new Left('refused', 'Too many wrong passwords.')
}

function lockedOut(): Left {
  return new Left('refused', 'Too many logins failed from this address. Try again in some minutes.')
}
