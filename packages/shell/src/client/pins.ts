import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fingerprint, keyFingerprint } from '../certificate.js'
import { ensurePrivateFolder, privateFolder } from '../private-folder.js'
import { Failure } from './failure.js'

/** What a certificate is known by. */
export interface Pin {
  /** SHA-256 of the certificate, and of its public key, which a renewed one keeps. */
  cert: string
  key: string
}

/** What the list of known shells says of a certificate that one shows. */
export type Judgement = { is: 'known' } | { is: 'new' } | { is: 'renewed' } | { is: 'other'; known: Pin }

/** Judges what an address shows by the text of the list. */
export function judge(text: string, address: string, shown: Pin): Judgement {
  const known = parsePins(text).get(address)
  if (!known) return { is: 'new' }
  if (known.cert === shown.cert) return { is: 'known' }
  return known.key === shown.key ? { is: 'renewed' } : { is: 'other', known }
}

/** The list with this pin for the address, in place of the one it had. */
export function withPin(text: string, address: string, { cert, key }: Pin): string {
  const others = text.split('\n').filter((line) => line !== '' && line.split(' ')[0] !== address)
  return [...others, `${address} ${cert} ${key}`, ''].join('\n')
}

/**
 * Trusts a shell's certificate at first use, and from then on only that one, or a renewed one with the same key.
 * @param certificate as the TLS connection has it, DER
 * @param say takes what the person should know
 * @throws Failure when it is another one
 */
export function trust(
  address: string,
  certificate: Buffer,
  say: (text: string) => void,
  folder = privateFolder()
): void {
  const file = path.join(folder, 'known-shells')
  const shown = { cert: fingerprint(certificate), key: keyFingerprint(certificate) }
  const text = readText(file)
  const judgement = judge(text, address, shown)
  if (judgement.is === 'known') return
  if (judgement.is === 'other') {
    throw new Failure(
      `the certificate of ${address} is not the one that is known: somebody may be in between.\n` +
        `  known: ${judgement.known.cert}\n  shown: ${shown.cert}\n` +
        `If the shell's log has printed the one that is shown, remove the line of ${address} from ${file}.`,
      true
    )
  }
  write(file, withPin(text, address, shown))
  const what = judgement.is === 'new' ? 'is trusted from now on' : 'was renewed, with the same key'
  say(
    `The certificate of ${address} ${what} (${file}):\n  ${shown.cert}\nThe shell's log has printed the same, if it is the right one.`
  )
}

function parsePins(text: string): Map<string, Pin> {
  const pins = new Map<string, Pin>()
  for (const line of text.split('\n')) {
    const [address, cert, key] = line.trim().split(/\s+/)
    if (address && cert && key && !address.startsWith('#')) pins.set(address, { cert, key })
  }
  return pins
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    // Not to be read as "nothing is known": then anybody would be trusted.
    throw new Failure(`the known shells cannot be read: ${(error as Error).message}`)
  }
}

function write(file: string, text: string): void {
  try {
    ensurePrivateFolder(path.dirname(file))
    writeFileSync(`${file}.${process.pid}`, text, { mode: 0o600 })
    renameSync(`${file}.${process.pid}`, file)
  } catch (error) {
    throw new Failure(`the known shells cannot be kept: ${(error as Error).message}`)
  }
}
