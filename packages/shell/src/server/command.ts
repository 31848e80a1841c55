import type { Cluster } from '@mapache/core'
import { Told } from './text.js'

/** What a command gets while it runs. */
export interface Run {
  readonly cluster: Cluster
  /** Shows a text to the user, in lines of its own. @returns when the user's side takes more */
  send(text: string): Promise<void>
  /** A line of the user. @throws when there will be none, or it was too long */
  recv(): Promise<Buffer>
  /** Aborted when the user has got out of the command or has gone: nobody reads on. */
  readonly signal: AbortSignal
  /** Aborted when the shell is replaced: what has no end by itself ends. */
  readonly retiring: AbortSignal
  /** All commands, for help. */
  readonly commands: readonly Command[]
}

export interface Command {
  /** One word or two. */
  readonly name: string
  /** What follows the name, for help; empty: nothing. */
  readonly usage: string
  readonly summary: string
  /** It is of the app, and ended after a while when the shell is replaced. */
  readonly custom?: boolean
  run(run: Run, args: readonly string[]): Promise<void>
}

/** The command was called in a wrong way: its usage is shown. */
export class UsageError extends Told {}

/** The command of a line. @returns it and what follows its name; undefined when there is none of that name */
export function findCommand(commands: readonly Command[], words: readonly string[]) {
  const two = words.slice(0, 2).join(' ')
  const command = commands.find(({ name }) => name === two) ?? commands.find(({ name }) => name === words[0])
  return command && { command, args: words.slice(command.name.split(' ').length) }
}
