// npm run bench -- [throughput] [loss] [supervisor] [reload] [--json FILE] [--quick] …: see lib/args.mjs.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { readArgs, USAGE, UsageError } from './lib/args.mjs'
import { switchOffAutogroup } from './lib/autogroup.mjs'
import { machine as describeMachine, onPath, showMachine } from './lib/machine.mjs'
import { killAll } from './lib/server.mjs'

const print = (text) => process.stdout.write(`${text}\n`)

try {
  const args = readArgs(process.argv.slice(2))
  if (args.help) print(USAGE)
  else await run(args)
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof UsageError ? error.message : error)
}

async function run(args) {
  needs('../test/dist/support/loss/index.js')
  if (args.pm2 && !onPath('pm2')) throw new UsageError('--with-pm2 needs pm2 on the PATH')
  const columns = new Set(['mapache', 'cluster', 'single', 'idle'])
  for (const name of args.without) columns.delete(name === 'bare' ? 'single' : name)
  if (columns.has('mapache')) needs('../packages/core/dist/index.js')

  const machine = describeMachine()
  const autogroup = switchOffAutogroup()
  print(`${showMachine(machine)}; ${autogroup.note}`)
  const results = {
    date: new Date().toISOString(),
    machine,
    arguments: { ...args, without: [...args.without] },
    cases: {}
  }
  const interrupted = (signal) => {
    autogroup.restore()
    return killAll().then(() => process.kill(process.pid, signal))
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted)
  try {
    for (const name of args.names) {
      const { [name]: measure } = await import(`./cases/${name}.mjs`)
      results.cases[name] = await measure({ args, columns, machine, print })
      // Those that a stop has left may still be on their way out.
      const left = await killAll(2000)
      if (left > 0) print(`  ${left} processes were left behind and had to be killed`)
    }
  } finally {
    autogroup.restore()
    await killAll()
    if (args.json !== undefined) await writeFile(args.json, `${JSON.stringify(results, null, 2)}\n`)
  }
}

function needs(file) {
  if (!existsSync(new URL(file, import.meta.url))) throw new UsageError(`${file.slice(3)} is missing: npm run build`)
}
