import { readFileSync } from 'node:fs'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { EXIT_CODES } from './exit-codes.js'

/** What a command was given. */
export interface Given {
  /** As the command declares them; what follows an app's entry is among them. */
  args: unknown[]
  /** By the names of the options, in camel case. */
  options: Record<string, unknown>
}

/** Builds the command line: all commands, their options and their help. @param take runs the command of that name */
export function buildProgram(take: (name: string, given: Given) => Promise<void>): Command {
  const program = new Command('mapache')
    .description('Keeps a Node.js web app answering: several workers, replaced without losing a request.')
    .version(version(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .enablePositionalOptions()
    .configureHelp({
      subcommandTerm: termOf,
      optionTerm: ({ flags, optional }) => (optional ? flags.replace(' [', '[=') : flags)
    })
    .addHelpText('after', () => `\n${SIGNALS}\n\n${exitCodes()}`)

  const add: Add = (name, description) => {
    const command = program.command(name).description(description).helpOption('-h, --help', 'print this')
    // What is declared with a parser is parsed in processedArgs, and so is the rest, which is an array there.
    return command.action(() => take(name, { args: command.processedArgs.flat(), options: command.opts() }))
  }
  addRunning(program, add)
  addShowing(program, add)
  addChanging(program, add)
  addOther(program, add)
  return program
}

type Add = (name: string, description: string) => Command

function addRunning(program: Command, add: Add): void {
  program.commandsGroup('Run an app:')
  // Options that follow the entry are the entry's own.
  add('start', 'run the entry in several workers')
    .argument('[entry]', 'the script of the app')
    .argument('[args...]', "the entry's own arguments and options")
    .usage('[options] <entry> [args...]')
    .passThroughOptions()
    .option('-w, --workers <n|auto>', 'how many workers serve')
    .option('--name <name>', "the cluster's name")
    .option('--config <file>', 'a module whose default export has the options; flags win')
    .option('--env-file <file>', 'environment variables, read anew at each reload')
    .option('--setup <file>', 'a module that runs once before the first worker of a generation: a migration')
    .option('--teardown <file>', 'a module that runs when the cluster stops')
    .option('--setup-timeout <ms>', 'how long these two may take; 0 is no limit')
    .option('--settle <ms>', 'how long a new worker must serve before the first old one retires')
    .option('--boot-timeout <ms>', 'how long a worker may take until it is ready')
    .option('--drain-timeout <ms>', 'how long a retiring worker may take')
    .option('--hang-timeout <ms>', "how long a worker's loop may be blocked; 0 is never")
    .option('--backlog <n>', "connections that wait in the kernel's queue")
    .addOption(new Option('--boot <how>', 'fork, spawn, or auto: forked where that is safe').choices(BOOTS))
    .addOption(new Option('--log-level <level>', 'what the log has').choices(LEVELS))
    .addOption(new Option('--log-format <format>', 'how the log is printed').choices(FORMATS))
    .addHelpText('after', `\n${SIGNALS}`)
  add('dev', 'run the entry for development, and reload it when a file changes')
    .argument('[entry]', 'the script of the app')
    .argument('[args...]', "the entry's own arguments and options")
    .usage('[options] <entry> [args...]')
    .passThroughOptions()
    .option('--strategy <how>', 'fork, standby or restart; default: the fastest that works here')
    .option('--watch <glob>', 'files that reload the app beside those that it has loaded; may be repeated', collect)
    .option('--refresh', 'pages reload themselves in the browser')
    .option('--inspect [address]', 'debug the worker, on the same port after each reload')
    .option('--poll', 'look at files again and again, where the system does not tell of changes')
    .option('--name <name>', "the cluster's name")
    .option('--env-file <file>', 'environment variables, read anew at each reload')
    .addOption(new Option('--log-level <level>', 'what the log has; default: nothing').choices(LEVELS))
}

function addShowing(program: Command, add: Add): void {
  program.commandsGroup('Look at a cluster:')
  ofCluster(add('status', 'print how the cluster and its processes are'))
  ofCluster(add('top', 'watch the cluster, and steer it by keys')).option(
    '--interval <ms>',
    'milliseconds between two looks',
    wholeFrom(100),
    1_000
  )
  ofCluster(add('log', "print the last lines of Mapache's own log"))
    .option('-n, --lines <n>', 'how many lines; at most 1000 are kept', wholeFrom(0), 100)
    .option('-f, --follow', 'go on with what is logged from now on')
}

function addChanging(program: Command, add: Add): void {
  program.commandsGroup('Change a cluster:')
  ofCluster(add('reload', 'replace all workers with new ones from disk'))
    .option(
      '--canary [soak]',
      'let the first new worker serve for so many ms beside the old ones, compared',
      wholeFrom(1)
    )
    .option('--no-canary', 'for once do without the canary that the options have')
    .option('--max-error-rate <n>', 'how much more of its answers may be errors: 0.01 is one of a hundred', number)
    .option('--max-latency-ratio <n>', 'how many times slower its slowest answers may be', number)
    .addHelpText('after', `\n${TRUST}\n${GOES_ON}`)
  ofCluster(add('refork', 'replace all workers with forks of a warm one')).addHelpText('after', `\n${GOES_ON}`)
  ofCluster(add('rollback', 'go back to the generation before')).addHelpText('after', `\n${GOES_ON}`)
  ofCluster(add('scale', 'change how many workers serve'))
    .argument('<n|auto>', 'the number of workers; auto: as the options say', wholeOrAuto)
    .option('--no-wait', 'do not wait until they serve')
  ofCluster(add('recycle', 'replace one worker or service')).argument('<id>', 'its ID in mapache status', wholeFrom(1))
  ofCluster(add('revive', 'launch at once what waits after failures'))
  ofCluster(add('stop', 'answer what was accepted, then stop')).option('--now', 'stop without finishing')
}

function addOther(program: Command, add: Add): void {
  program.commandsGroup('Other:')
  add('shell', "talk to the cluster's admin shell; see mapache shell --help")
    .usage('[address]')
    .helpOption(false)
    .argument('[args...]', 'as mapache shell --help says')
  add('completion', 'print a script that makes a shell complete mapache').addArgument(
    new Argument('<shell>', 'the shell').choices(SHELLS)
  )
  program.helpCommand('help [command]', 'print this, or the help of a command')
}

/** The options that every command has that finds a running cluster. */
function ofCluster(command: Command): Command {
  return command
    .option('--name <name>', 'the cluster of this name, where several run')
    .option('--pid <pid>', 'the cluster whose supervisor has this pid', wholeFrom(1))
    .option('--json', 'print JSON')
}

/** A command in the list of commands: its options are told by its own help. */
function termOf(command: Command): string {
  return `${command.name()} ${command.usage().replace('[options]', '').trim()}`.trim()
}

function exitCodes(): string {
  return ['Exit codes:', ...Object.entries(EXIT_CODES).map(([code, text]) => `  ${code.padEnd(5)}${text}`)].join('\n')
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be a number from 0 up.')
}

function wholeFrom(least: number) {
  return (text: string): number => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} up.`)
  }
}

function wholeOrAuto(text: string): number | 'auto' {
  return text === 'auto' ? text : wholeFrom(1)(text)
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
const TRUST = `It ends with 0 only when the new generation serves. If that does not boot, does not survive settle, or is a bad canary, the old
workers serve on, the app's own error is printed whole, and it ends with 1.`
const GOES_ON = 'Ctrl-C ends the waiting, not what was begun.'
const BOOTS = ['auto', 'fork', 'spawn']
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const FORMATS = ['auto', 'json', 'line']
const SIGNALS = 'Signals: SIGHUP reloads, SIGTERM and SIGINT stop gracefully, a second SIGINT or SIGQUIT stops now.'
