import { type Command, CommanderError } from 'commander'
import { tellFailure } from './failures.js'
import { Output } from './output.js'
import { buildProgram, type Given } from './program.js'

/**
 * Runs the command line.
 * @returns the exit code, see exit-codes.ts; undefined when the process goes on: it is a supervisor then
 */
export async function run(args: string[]): Promise<number | undefined> {
  // What the completion scripts call. It is no word for people.
  if (args[0] === 'complete') return (await import('./completion/complete.js')).complete(args.slice(1))
  // Its arguments are its own client's.
  if (args[0] === 'shell') return runCommand('shell', { args: args.slice(1), options: {} })
  let code: number | undefined = 0
  const program = buildProgram(async (name, given) => {
    code = await runCommand(name, given)
  })
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'mapache: ').replace(/\n?$/, '\nSee mapache help.\n'))
    })
  }
  try {
    await program.parseAsync(await prepared(args, program), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    const json = args.includes('--json') && args[0] !== 'start' && args[0] !== 'dev'
    const message = error.message.replace(/^error: /, '')
    if (json) new Output(true).document({ error: { code: 'MAPACHE_OPTION_INVALID', message } })
    return 2
  }
  return code
}

async function runCommand(name: string, { args, options }: Given): Promise<number | undefined> {
  const output = new Output(options.json === true)
  try {
    const command = await COMMANDS[name]?.()
    return await command?.(args as never, options as never, output)
  } catch (error) {
    // Who quits before the app has served was not told of an error.
    const quit = name === 'dev' && (error as { code?: unknown } | null)?.code === 'MAPACHE_SUPERVISOR_STOPPED'
    const code = quit ? 0 : await tellFailure(error, output)
    // A start that failed may leave something open; whatever else there is, is done.
    if (name === 'start' || name === 'dev') process.exit(code)
    return code
  }
}

/** With an --inspect of `dev` as commander takes it. */
async function prepared(args: string[], program: Command): Promise<string[]> {
  if (args[0] !== 'dev' || !args.includes('--inspect')) return args
  const { withInspectAddress } = await import('./inspect-address.js')
  const options = program.commands.find((command) => command.name() === 'dev')?.options ?? []
  const takesValue = (arg: string) =>
    options.some((option) => option.required && [option.long, option.short].includes(arg))
  return ['dev', ...withInspectAddress(args.slice(1), takesValue)]
}

type Run = (args: never, options: never, output: Output) => Promise<number | undefined>

/** Each command is loaded when it is run: a start has no use for what draws a screen. */
const COMMANDS: Readonly<Record<string, () => Promise<Run>>> = {
  start: async () => (await import('./start.js')).start,
  dev: async () => (await import('./dev.js')).dev,
  status: async () => (await import('./commands/status.js')).status,
  top: async () => (await import('./top/top.js')).top,
  log: async () => (await import('./commands/log.js')).log,
  reload: async () => (await import('./commands/reload.js')).reload,
  refork: async () => (await import('./commands/roll.js')).refork,
  rollback: async () => (await import('./commands/roll.js')).rollback,
  scale: async () => (await import('./commands/scale.js')).scale,
  recycle: async () => (await import('./commands/recycle.js')).recycle,
  revive: async () => (await import('./commands/revive.js')).revive,
  stop: async () => (await import('./commands/stop.js')).stop,
  shell: async () => (await import('./shell.js')).shell,
  completion: async () => (await import('./completion/complete.js')).completion
}
