// node bench/native-forks.mjs [--heap 150] [--forks 1000] [--siblings 200] [--values 10000]: what the tests of forking do in
// small, in large. How long a fork of a process takes whose objects fill so many MB; how many of that many forks in a row,
// under load, went well, and what they left behind; how many of that many random values came twice among that many
// siblings. Takes minutes. The exit code is 0 only if all went well. Linux only.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine, showMachine } from './lib/machine.mjs'

const number = (value) => ({ type: 'string', default: String(value) })
const options = { heap: number(150), forks: number(1000), siblings: number(200), values: number(10_000) }
const { heap, forks, siblings, values } = parseArgs({ options }).values

console.log(showMachine(machine()))
await time()
await row()
await random()

async function time() {
  const { rss, median, slowest } = await run('heap.mjs', [heap, '20'])
  console.log(
    `a fork with ${heap} MB of objects (${rss.toFixed(0)} MB resident): ${ms(median)}, the slowest ${ms(slowest)}`
  )
}

async function row() {
  const { ends, before, after, median, slowest } = await run('row.mjs', [forks])
  const wrong = ends.filter((end) => end !== 'code 0')
  const left = `${after.descriptors - before.descriptors} descriptors and ${after.threads - before.threads} threads more`
  console.log(
    `${ends.length} forks under load: ${ms(median)}, the slowest ${ms(slowest)}; ${left}; wrong: ${wrong.length}`
  )
  if (wrong.length > 0) console.log(`  ${[...new Set(wrong)].join(', ')}`)
  if (wrong.length > 0 || JSON.stringify(before) !== JSON.stringify(after)) process.exitCode = 1
}

async function random() {
  const folder = mkdtempSync(path.join(tmpdir(), 'mapache-random-'))
  try {
    const { drawn, repeated } = await run('random.mjs', [folder, siblings, values])
    const told = Object.entries(repeated).map(([kind, count], at) => `${kind} ${count} of ${drawn[at]}`)
    console.log(`values that came twice among ${siblings} siblings: ${told.join(', ')}`)
    if (Object.values(repeated).some((count) => count > 0)) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Runs a script of the tests. @returns the line that it says */
function run(script, args) {
  const file = fileURLToPath(new URL(`../test/fixtures/native/${script}`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 900_000 })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(output))
      else reject(new Error(`${script} ended with ${signal ?? `code ${code}`}\n${output}`))
    })
  })
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(1)} ms`
}
