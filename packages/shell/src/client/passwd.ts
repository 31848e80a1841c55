import { createInterface } from 'node:readline'
import { hashPassword } from '../credential.js'
import { Failure } from './failure.js'
import { readSecret } from './secret.js'

/**
 * `mapache shell passwd`: prints the hash of a password that is typed twice, or is the first line of a pipe.
 * @throws Failure when it is none
 */
export async function passwd(): Promise<number> {
  const password = process.stdin.isTTY ? await readSecret('Password: ') : await firstLine()
  if ([...password].length < SHORTEST) throw new Failure(`a password has ${SHORTEST} characters or more`)
  // They could not be sent: the one ends a line, the other is Ctrl-C.
  if (/[\p{Cc}]/u.test(password)) throw new Failure('a password has no control characters')
  if (process.stdin.isTTY && (await readSecret('The same again: ')) !== password) throw new Failure('they differ')
  process.stdout.write(`${await hashPassword(password)}\n`)
  return 0
}

async function firstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) return line
  return ''
}

const SHORTEST = 8
