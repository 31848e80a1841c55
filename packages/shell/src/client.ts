// `@mapache/shell/client`: what `mapache shell` does.

import { type Arguments, HELP, parseArguments, Usage } from './client/arguments.js'
import { Client } from './client/client.js'
import { Failure } from './client/failure.js'
import { passwd } from './client/passwd.js'

/**
 * Runs `mapache shell` at this process's terminal, or with its standard streams.
 * @param args what follows `shell`
 * @returns the exit code: 0; 1 when it could not connect or log in, or a command failed that came from a pipe; 2 for wrong
 *   arguments
 */
export async function runShell(args: readonly string[]): Promise<number> {
  let parsed: Arguments
  try {
    parsed = parseArguments(args)
  } catch (error) {
    if (!(error instanceof Usage)) throw error
    process.stderr.write(`mapache shell: ${error.message}\n\n${HELP}`)
    return 2
  }
  if (parsed.command === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  try {
    return parsed.command === 'passwd' ? await passwd() : await new Client(parsed).run()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`mapache shell: ${error.message}\n`)
    return 1
  }
}
