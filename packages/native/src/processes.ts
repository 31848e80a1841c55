import { constants } from 'node:os'
import { binding } from './binding.js'
import { descriptor, integer, pid, text } from './check.js'

/** How a process ended: with a code or by a signal; the other is null. */
export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Ends this process at once, by _exit(2): no handler runs, nothing is flushed.
 *
 * @param code 0 to 255
 */
export function exit(code: number): never {
  return binding().exit(integer(code, 0, 'an exit code', 255))
}

/**
 * Makes this process the parent of each process below it that loses its own (PR_SET_CHILD_SUBREAPER), for as long as it
 * lives. It has to `reap` them.
 */
export function becomeSubreaper(): void {
  binding().becomeSubreaper()
}

/**
 * Looks how a child of this process ended, and lets the system forget it. Never waits. Not for those of
 * node:child_process, which reaps its own.
 *
 * @returns undefined while it runs
 * @throws an error with the code ECHILD if it is no child of this process, or not any more
 */
export function reap(child: number): End | undefined {
  const end = binding().reap(pid(child))
  if (end === undefined) return undefined
  const [code, signal] = end
  return signal < 0 ? { code, signal: null } : { code: null, signal: signalName(signal) }
}

/**
 * Replaces the program of this process by another (execve(2)): same pid, same parent, same children. No handler runs
 * first. What is not 0 to 2 or in `keep` is closed.
 *
 * @param file the program's path; PATH is not searched
 * @param args its arguments, without its name, which is `file`
 * @param env its whole environment
 * @param keep descriptors that it gets, besides 0 to 2
 * @throws an error with the code of the system, for example ENOENT; all descriptors are then as they were
 */
export function exec(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  keep: readonly number[]
): never {
  const argv = [text(file, 'the file'), ...args.map((it) => text(it, 'an argument'))]
  const variables = Object.entries(env).map(([name, value]) => text(`${name}=${value}`, 'an environment variable'))
  keep.forEach(descriptor)
  return binding().exec(file, argv, variables, keep)
}

function signalName(number: number): NodeJS.Signals {
  const [name] = Object.entries(constants.signals).find(([, it]) => it === number) ?? [`SIG${number}`]
  return name as NodeJS.Signals
}
