import { once } from 'node:events'
import type { ServiceHandle } from '@mapache/core'
import { fingerprint, type KeyPair, ownKeyPair, readKeyPair, readPem } from './certificate.js'
import { keptThrottle, parseCredential } from './credential.js'
import { MODULE } from './module-name.js'
import type { ServiceOptions } from './options.js'
import { serveShell } from './server/server.js'

/** The shell's process. */
export default async function run(service: ServiceHandle): Promise<void> {
  const { host, port, password, cert, key, ca, commands, limits } = service.options as ServiceOptions
  const { log } = service
  const throttle = await keptThrottle(service, MODULE)
  const credential = password === undefined ? undefined : parseCredential(password)
  if (credential?.kind === 'sha512') {
    log(
      'warn',
      'the password is a bare SHA-512 digest, which is quickly guessed by who sees it: use mapache shell passwd'
    )
  }
  const given = cert !== undefined && key !== undefined ? { cert, key } : undefined
  let pair = given ? readKeyPair(given) : await ownKeyPair()
  const trusted = ca.map((one) => readPem('ca', one))
  const shell = await serveShell({
    cluster: service.cluster,
    tls: { ...pair, ca: trusted },
    credential,
    log,
    commands,
    limits,
    throttle
  })
  shell.server.listen({ host, port })
  await once(shell.server, 'listening')
  const address = shell.server.address()
  const at = typeof address === 'object' && address ? `${address.address}:${address.port}` : `${host}:${port}`
  log('info', `shell serves on ${at}; its certificate's SHA-256 fingerprint is ${fingerprint(pair.cert)}`)

  const renew = async () => {
    if (given) return
    try {
      const next: KeyPair = await ownKeyPair()
      if (next.cert === pair.cert) return
      pair = { ...pair, ...next }
      shell.renew(pair)
      log('info', `the certificate was renewed; its SHA-256 fingerprint is ${fingerprint(pair.cert)}`)
    } catch (error) {
      log('warn', `the certificate was not renewed: ${(error as Error).message}`)
    }
  }
  const timer = setInterval(renew, DAY)
  service.onRetire(() => {
    clearInterval(timer)
    return shell.retire()
  })
}

const DAY = 86_400_000
