// docs/command.md, docs/options.md and docs/dev.md have every command, option, key and exit code, and no other.

import t from 'tap'
import { EXIT_CODES } from '#cli/exit-codes.js'
import { buildProgram } from '#cli/program.js'
import { code, read, tableOf } from '../docs/markdown.js'

const PAGE = 'docs/command.md'
const SHARED = ['--name', '--pid', '--json']
type Command = ReturnType<typeof buildProgram>
const program = buildProgram(async () => {})
const named = (name: string) => program.commands.find((command) => command.name() === name) as Command

function optionsOf(command: Command): string[] {
  return command.options.map(({ long }) => long as string)
}

function documented(page: string, heading: string): string[] {
  return tableOf(page, heading).map(([cell = '']) => /--[a-z-]+/.exec(cell)?.[0] ?? '')
}

t.test('every command', async (t) => {
  const commands = program.createHelp().visibleCommands(program)
  t.strictSame(
    tableOf(PAGE, 'The command').map(([cell]) => code(cell)),
    commands.map((command) => command.name())
  )
  t.strictSame(documented(PAGE, 'Which cluster'), SHARED)
})

t.test('the options of each', async (t) => {
  const others = program.commands.filter((command) => !['start', 'dev', 'shell', 'completion'].includes(command.name()))
  for (const command of others) {
    const options = optionsOf(command)
    t.strictSame(options.slice(0, SHARED.length), SHARED, command.name())
    const own = options.slice(SHARED.length)
    const section = read(PAGE).split(`\n## mapache ${command.name()}\n`)[1]?.split('\n## ')[0] ?? ''
    t.not(section, '', command.name())
    t.equal(section.includes('\n| Option'), own.length > 0, command.name())
    if (own.length > 0) t.strictSame(documented(PAGE, `mapache ${command.name()}`), own, command.name())
  }
  t.strictSame(documented('docs/options.md', 'The command').sort(), optionsOf(named('start')).sort())
  t.strictSame(documented('docs/dev.md', 'Options').sort(), optionsOf(named('dev')).sort())
})

t.test('the exit codes', async (t) => {
  const rows = tableOf(PAGE, 'Exit codes').map(([cell, text]) => [code(cell), text])
  t.strictSame(Object.fromEntries(rows), EXIT_CODES)
  let help = ''
  program.configureOutput({
    writeOut: (text) => {
      help += text
    }
  })
  program.outputHelp()
  for (const [number, text] of rows) t.match(help, `\n  ${number?.padEnd(5)}${text}`)
})
