import { openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { ReadStream } from 'node:tty'
import { Failure } from './failure.js'

/**
 * Asks for a password at the terminal, without echo; also when the standard input is a pipe.
 * @throws Failure when there is no terminal, or the person gives up
 */
export async function readSecret(prompt: string): Promise<string> {
  const own = process.stdin.isTTY ? undefined : openTerminal()
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: own ?? process.stdin, output, terminal: true, historySize: 0 })
  process.stderr.write(prompt)
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('SIGINT', () => reject(new Failure('given up')))
      lines.once('close', () => reject(new Failure('given up')))
    })
  } finally {
    lines.close()
    own?.destroy()
    process.stderr.write('\n')
  }
}

function openTerminal(): ReadStream {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'))
  } catch {
    throw new Failure('there is no terminal to ask for the password at: set MAPACHE_SHELL_PASSWORD')
  }
}
