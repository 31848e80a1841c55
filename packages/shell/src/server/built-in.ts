import { type Command, UsageError } from './command.js'
import { logTail } from './log-tail.js'
import { refork, reload, rollback } from './rolls.js'
import { table } from './text.js'
import { workerInfo, workerList } from './workers.js'

const revive: Command = {
  name: 'worker revive',
  usage: '',
  summary: 'launch at once the workers that wait after failures',
  async run({ cluster, send }, args) {
    none(args)
    const count = await cluster.revive()
    await send(
      count === 0 ? 'No worker waits: none is dead.' : `Revived ${count} ${count === 1 ? 'worker' : 'workers'}.`
    )
  }
}

const recycle: Command = {
  name: 'worker recycle',
  usage: 'ID',
  summary: 'replace one worker, its replacement first',
  async run({ cluster, send }, args) {
    const id = number(args, 'the id of a worker, as worker list shows it', 1)
    await cluster.recycle(id)
    await send(`Worker ${id} was replaced.`)
  }
}

const scale: Command = {
  name: 'scale',
  usage: 'N|auto',
  summary: 'change how many workers serve; auto: as the options say',
  async run({ cluster, send }, args) {
    if (args.length === 1 && args[0] === 'auto') {
      await cluster.scale('auto')
      return send('The options say again how many workers serve.')
    }
    const workers = number(args, 'how many workers are to serve, or auto', 1)
    await cluster.scale(workers)
    await send(`The target is ${workers} now: worker info tells when they serve.`)
  }
}

const help: Command = {
  name: 'help',
  usage: '[COMMAND]',
  summary: 'list the commands',
  async run({ commands, send }, args) {
    const wanted = args.join(' ')
    const some = commands.filter(({ name }) => wanted === '' || name === wanted || name.startsWith(`${wanted} `))
    if (some.length === 0) throw new UsageError(`there is no command ${wanted}`)
    const rows = some.map(({ name, usage, summary }) => [`${name} ${usage}`.trim(), summary] as const)
    await send(table(wanted === '' ? [...rows, ...KEYS] : rows))
  }
}

/** @throws UsageError when there is anything */
function none(args: readonly string[]): void {
  if (args.length > 0) throw new UsageError(`it takes nothing, got ${args.join(' ')}`)
}

/** @throws UsageError when it is not the one number that is wanted */
function number(args: readonly string[], what: string, least: number): number {
  const [text = ''] = args
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (args.length !== 1 || !(value >= least))
    throw new UsageError(`it takes ${what}, got ${args.join(' ') || 'nothing'}`)
  return value
}

const KEYS = [
  ['.abort, Ctrl-C', 'get out of a command that runs'],
  ['.exit', 'leave']
] as const

/** The commands that every shell has, in the order of help. */
export const BUILT_IN: readonly Command[] = [
  workerInfo,
  workerList,
  revive,
  recycle,
  reload,
  refork,
  rollback,
  scale,
  logTail,
  help
]
