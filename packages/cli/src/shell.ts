import { runShell } from '@mapache/shell/client'

/**
 * `mapache shell`: the client of the admin shell, and `mapache shell passwd`.
 * @returns the exit code
 */
export async function shell(args: string[]): Promise<number> {
  return runShell(args)
}
