import type { Argument, Command, Option } from 'commander'

/** A word that fits, and what it means. */
export interface Suggestion {
  value: string
  about: string
}

/** What fits in place of the last word: known words, names of files, or both. */
export interface Suggestions {
  words: Suggestion[]
  files: boolean
}

/** What only the running clusters know. It is asked for when it is needed. */
export interface Running {
  /** The clusters that run. */
  clusters(): Promise<readonly { name: string; pid: number }[]>
  /** The processes of the one that is meant. */
  processes(wanted: { name?: string; pid?: number }): Promise<Suggestion[]>
}

/**
 * Says what may stand in place of the last word.
 * @param program the whole command line, which knows its commands and their options
 * @param words after `mapache`, up to the cursor; the last one is being written and may be empty
 */
export async function suggest(program: Command, words: readonly string[], running: Running): Promise<Suggestions> {
  const { before, current, prefix } = takeApart(words)
  const { files, words: all } = await fitting(program, before, current, running)
  const fit = all.filter(({ value }) => value.startsWith(current))
  return { files, words: fit.map(({ value, about }) => ({ value: prefix + value, about })) }
}

async function fitting(program: Command, before: string[], current: string, running: Running): Promise<Suggestions> {
  const command = program.commands.find((one) => one.name() === before[0])
  if (!command) return topLevel(program, before, current)
  const { option, operands, literal } = read(command, before.slice(1))
  if (option) return valuesOf(option, running)
  const [first] = command.registeredArguments
  const passes = first?.name() === 'entry'
  // What follows an app's entry is the app's, which only it knows.
  if (passes && operands > 0) return { words: [], files: true }
  if (current.startsWith('-') && !literal) return just(optionsOf(command, current))
  const argument = command.registeredArguments[operands]
  if (!argument) return just([])
  return passes ? { words: [], files: true } : just(await wordsOf(argument, before, command, running))
}

function topLevel(program: Command, before: string[], current: string): Suggestions {
  const commands = program.createHelp().visibleCommands(program)
  const words = commands.map((command) => ({ value: command.name(), about: command.description() }))
  if (before.length === 0) return just(current.startsWith('-') ? optionsOf(program, current) : words)
  return just(before[0] === 'help' && before.length === 1 ? words : [])
}

/** How far a command's own words go: the option that waits for its value, and how many arguments there were. */
function read(command: Command, words: string[]): { option?: Option; operands: number; literal: boolean } {
  let operands = 0
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string
    if (word === '--') return { operands: words.length - index - 1, literal: true }
    if (!word.startsWith('-')) {
      operands += 1
      continue
    }
    const option = command.options.find((one) => isNamed(one, word))
    if (!option?.required) continue
    if (index === words.length - 1) return { option, operands, literal: false }
    index += 1
  }
  return { operands, literal: false }
}

/** Whether the option is written like this. */
function isNamed({ long, short }: Option, word: string): boolean {
  return word === long || word === short
}

async function valuesOf(option: Option, running: Running): Promise<Suggestions> {
  const { argChoices, long } = option
  if (argChoices) return just(argChoices.map((value) => ({ value, about: '' })))
  if (long === '--config' || long === '--env-file') return { words: [], files: true }
  if (long !== '--name' && long !== '--pid') return just([])
  const clusters = await running.clusters()
  if (long === '--pid') return just(clusters.map(({ name, pid }) => ({ value: String(pid), about: name })))
  return just(clusters.map(({ name, pid }) => ({ value: name, about: `pid ${pid}` })))
}

function optionsOf(command: Command, current: string): Suggestion[] {
  const options = command.createHelp().visibleOptions(command)
  return options.flatMap(({ long, short, description: about }) => {
    const short1 = short !== undefined && !current.startsWith('--') ? [{ value: short, about }] : []
    return [...(long === undefined ? [] : [{ value: long, about }]), ...short1]
  })
}

async function wordsOf(
  argument: Argument,
  before: string[],
  command: Command,
  running: Running
): Promise<Suggestion[]> {
  if (argument.argChoices) return argument.argChoices.map((value) => ({ value, about: '' }))
  if (command.name() !== 'recycle') return []
  const after = (flag: string) => before[before.indexOf(flag) + 1]
  const name = before.includes('--name') ? after('--name') : undefined
  const pid = before.includes('--pid') ? Number(after('--pid')) : undefined
  return running.processes({ ...(name === undefined ? {} : { name }), ...(pid === undefined ? {} : { pid }) })
}

/**
 * The words before the last one, and that one. bash takes `--name=sh` for three words; for the others it is one, and what
 * is suggested must begin with it.
 */
function takeApart(words: readonly string[]): { before: string[]; current: string; prefix: string } {
  const before = words.slice(0, -1).filter((word) => word !== '=')
  const last = words.at(-1) ?? ''
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? []
  if (flag !== undefined) return { before: [...before, flag], current: value ?? '', prefix: `${flag}=` }
  return { before, current: last === '=' ? '' : last, prefix: '' }
}

function just(words: Suggestion[]): Suggestions {
  return { words, files: false }
}
