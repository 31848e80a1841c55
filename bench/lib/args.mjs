import { parseArgs } from 'node:util'

export const CASES = ['throughput', 'loss', 'supervisor', 'reload', 'molds', 'dev']

export const USAGE = `usage: npm run bench -- [${CASES.join('] [')}] [options]

Without a name, all of them run one after the other.

  --json FILE       write the figures there, too
  --quick           short turns and few reloads: shows that it works, measures little
  --rounds N        turns for each column of throughput, reload and supervisor
  --seconds N       length of one turn of throughput
  --reloads N       reloads for each column of loss
  --pace MS         pause of the busy habits of loss between requests
  --edits N         edits for each column of dev
  --node FILE       the Node.js that runs the columns of dev; may be given more than once
  --without NAME    leave a column out: mapache, cluster, bare; of dev a tool, or js, ts, stream, table
  --with-pm2        a column for PM2 in loss, if pm2 is on the PATH`

/** Something the person at the keyboard has to change; printed without a stack. */
export class UsageError extends Error {}

/** Reads the command line; throws a UsageError that says what is wrong with it. */
export function readArgs(argv) {
  const { values, positionals } = parse({
    args: argv,
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      reloads: { type: 'string' },
      pace: { type: 'string' },
      edits: { type: 'string' },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      without: { type: 'string', multiple: true, default: [] },
      'with-pm2': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  const unknown = positionals.find((name) => !CASES.includes(name))
  if (unknown !== undefined) throw new UsageError(`there is no benchmark ${unknown}; there are ${CASES.join(', ')}`)
  const { quick } = values
  return {
    help: values.help,
    names: positionals.length > 0 ? positionals : CASES,
    json: values.json,
    quick,
    rounds: number('rounds', values.rounds, quick ? 2 : 5),
    seconds: number('seconds', values.seconds, quick ? 1 : 3),
    reloads: number('reloads', values.reloads, quick ? 2 : 20),
    pace: number('pace', values.pace, 1),
    edits: number('edits', values.edits, quick ? 2 : 15),
    nodes: values.node,
    without: new Set(values.without),
    pm2: values['with-pm2']
  }
}

function parse(config) {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(error.message)
  }
}

function number(name, text, otherwise) {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (!(value >= 0)) throw new UsageError(`--${name} must be a number, got ${text}`)
  return value
}
