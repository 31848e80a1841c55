import { type Command, type Run, UsageError } from './command.js'
import type { Inbox } from './inbox.js'
import type { Output } from './output.js'
import { Left, type Shared } from './shared.js'
import { Told } from './text.js'

export interface PerformParts {
  readonly command: Command
  readonly args: readonly string[]
  readonly inbox: Inbox
  readonly output: Output
  /** Aborted with the reason, to get out of it. */
  readonly running: AbortController
}

/**
 * Runs a command to its end, or until the user gets out of it.
 * @throws what the command throws, or what `running` is aborted with
 */
export async function perform(parts: PerformParts, shared: Shared): Promise<void> {
  const { command, args, inbox, output, running } = parts
  const { cluster, retiring, commands, limits } = shared
  const { signal } = running
  const run: Run = {
    cluster,
    commands,
    signal,
    retiring,
    send: async (text) => {
      if (!signal.aborted) await output.text(text)
    },
    recv: async () => {
      output.ask()
      const line = await inbox.take(signal)
      if (line.equals(EXIT)) running.abort(new Left('exit', ''))
      signal.throwIfAborted()
      return line
    }
  }
  let timer: NodeJS.Timeout | undefined
  const onRetire = () => {
    const late = new Told('The shell is being replaced, and the command went on for too long.')
    // What is built in comes to its end; who knows of a command of the app?
    if (command.custom) timer = setTimeout(() => running.abort(late), limits.grace)
  }
  retiring.addEventListener('abort', onRetire)
  try {
    if (retiring.aborted) onRetire()
    await Promise.race([command.run(run, args), rejection(signal)])
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new Told(`${error.message}\nUsage: ${`${command.name} ${command.usage}`.trim()}`)
  } finally {
    clearTimeout(timer)
    retiring.removeEventListener('abort', onRetire)
    // Whatever of it goes on sends nothing more.
    running.abort(new Told('The command has ended.'))
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** What leaves the shell, at the prompt and wherever else a line is read. */
export const EXIT = Buffer.from('.exit')
