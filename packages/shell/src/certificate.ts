import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { MapacheError } from '@mapache/core'
import { ensurePrivateFolder, privateFolder } from './private-folder.js'

/** A certificate and its key, as PEM. */
export interface KeyPair {
  cert: string
  key: string
}

/**
 * Reads a certificate and its key.
 * @param given PEM texts, or paths of files
 * @throws MAPACHE_CERTIFICATE_INVALID when one cannot be read, or they do not belong together
 */
export function readKeyPair(given: KeyPair): KeyPair {
  const pair = { cert: readPem('cert', given.cert), key: readPem('key', given.key) }
  try {
    if (new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key))) return pair
  } catch (cause) {
    throw new MapacheError('MAPACHE_CERTIFICATE_INVALID', `cert and key: ${(cause as Error).message}`, { cause })
  }
  throw new MapacheError('MAPACHE_CERTIFICATE_INVALID', 'key is not the key of cert')
}

/**
 * Reads PEM.
 * @param name of the option, for the error
 * @param given a PEM text, or the path of a file with one
 * @throws MAPACHE_CERTIFICATE_INVALID
 */
export function readPem(name: string, given: string): string {
  if (given.includes('-----BEGIN ')) return given
  try {
    return readFileSync(given, 'utf8')
  } catch (cause) {
    throw new MapacheError('MAPACHE_CERTIFICATE_INVALID', `${name}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The certificate of this user's shells: made once, kept in a private file, and renewed with the same key before it ends,
 * so that who knows the key knows the next one, too.
 * @param now ms since 1970
 * @throws MAPACHE_CERTIFICATE_INVALID when the file cannot be written or is not private
 */
export async function ownKeyPair(folder = privateFolder(), now = Date.now()): Promise<KeyPair & { file: string }> {
  const file = path.join(folder, 'shell.pem')
  try {
    const known = readOwn(file)
    if (known && new Date(new X509Certificate(known.cert).validTo).getTime() - now > RENEW_BEFORE) {
      return { ...known, file }
    }
    const made = await make(known?.key, now)
    ensurePrivateFolder(folder)
    return { ...place(file, made, known !== undefined), file }
  } catch (cause) {
    const text = `${file} cannot be used: ${(cause as Error).message}. Remove it, pass cert and key, or set XDG_STATE_HOME`
    throw new MapacheError('MAPACHE_CERTIFICATE_INVALID', text, { cause })
  }
}

/** SHA-256 of the certificate, in the way that openssl prints it. */
export function fingerprint(cert: string | Buffer): string {
  return new X509Certificate(cert).fingerprint256
}

/** SHA-256 of the public key of a certificate, which outlives the certificate. */
export function keyFingerprint(cert: string | Buffer): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  const hex = createHash('sha256').update(key).digest('hex').toUpperCase()
  return hex.replace(/..(?=.)/g, '$&:')
}

function readOwn(file: string): KeyPair | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  // Whoever copied it would have the key for good; only that nobody does from now on can be seen to.
  chmodSync(file, 0o600)
  const [key = ''] = /-----BEGIN PRIVATE KEY-----.*?-----END PRIVATE KEY-----\n/s.exec(text) ?? []
  const [cert = ''] = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n/s.exec(text) ?? []
  return readKeyPair({ key, cert })
}

async function make(key: string | undefined, now: number): Promise<KeyPair> {
  // Only here: a shell that has its certificate does without it.
  const { generate } = await import('selfsigned')
  const names = [...new Set(['localhost', hostname()])]
  const made = await generate([{ name: 'commonName', value: 'mapache shell' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // A little before now: the clocks of two machines differ.
    notBeforeDate: new Date(now - 3_600_000),
    notAfterDate: new Date(now + LIFETIME),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' }
        ]
      }
    ],
    ...(key === undefined ? {} : { keyPair: { privateKey: key, publicKey: publicOf(key) } })
  })
  return { cert: made.cert.endsWith('\n') ? made.cert : `${made.cert}\n`, key: made.private }
}

function publicOf(key: string): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
}

/** Puts it there in one step. Of several that make the first one, one wins, and the others take its. */
function place(file: string, pair: KeyPair, renewed: boolean): KeyPair {
  const beside = `${file}.${process.pid}`
  writeFileSync(beside, pair.key + pair.cert, { mode: 0o600 })
  try {
    if (renewed) renameSync(beside, file)
    else linkSync(beside, file)
    return pair
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readOwn(file) ?? pair
  } finally {
    rmSync(beside, { force: true })
  }
}

const DAY = 86_400_000
const LIFETIME = 365 * DAY
const RENEW_BEFORE = 30 * DAY
