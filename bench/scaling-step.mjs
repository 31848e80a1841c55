// node bench/scaling-step.mjs [--rounds N] [--spawn]: how soon a real cluster of 1 to 2 workers serves with two after a step of load.
//
// A request takes 10 ms of CPU. Before the step one client asks, and pauses 40 ms after each answer; then there are six that do not
// pause. What counts: from the step until the second worker serves, and how long answers take meanwhile, next to both serving.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from './lib/stats.mjs'
import { table } from './lib/table.mjs'

/** Nothing here may take longer, ms. */
const DEADLINE = 40_000
const MAIN = `import { mapacheHttp } from '@mapache/core'
const tell = (what, data) => console.log(JSON.stringify({ what, ...data }))
const burn = () => (req, res) => {
  const end = performance.now() + 10
  while (performance.now() < end);
  res.end('done')
}
const options = { workers: { min: 1, max: 2 }, boot: process.env.BOOT, log: { level: 'warn' } }
const cluster = await mapacheHttp(burn, options).listen({ port: 0, host: '127.0.0.1' })
if (cluster.role === 'supervisor') {
  cluster.on('scale', ({ workers }) => tell('scale', { workers }))
  cluster.on('worker:serving', () => tell('serving'))
  tell('port', { port: cluster.addresses[0].port })
}
`

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' }, spawn: { type: 'boolean' } } })
if (availableParallelism() < 2) throw new Error('two CPUs are needed')
const folder = mkdtempSync(path.join(tmpdir(), 'mp-step-'))
const child = startCluster()
const heard = []
let wake = () => {}
createInterface({ input: child.stdout }).on('line', (line) => {
  heard.push({ at: performance.now(), ...JSON.parse(line) })
  wake()
})
const rows = []
try {
  const { port } = await hears(0, ({ what }) => what === 'port')
  for (let round = 1; round <= Number(values.rounds); round += 1) rows.push(await measure(port))
} finally {
  const gone = child.exitCode === null && once(child, 'exit')
  child.kill('SIGTERM')
  await gone
  rmSync(folder, { recursive: true, force: true })
}
console.log(
  `${values.spawn ? 'spawned' : 'forked'} workers, 1 to 2; a step from one client that pauses to six that do not`
)
const medians = ['median', ...rows[0].map((_, column) => median(rows.map((row) => row[column])))]
const shown = [...rows.map((row, index) => [index + 1, ...row]), medians].map(([name, ...row]) => {
  return [name, ...row.map((value, column) => value.toFixed(column === 4 ? 1 : 0))]
})
console.log(
  table(['round', 'decided, ms', 'both serve, ms', 'p99 until then, ms', 'p99 with both, ms', 'ratio'], shown)
)

function startCluster() {
  const packages = fileURLToPath(new URL('../packages/', import.meta.url))
  const links = path.join(folder, 'node_modules/@mapache')
  mkdirSync(links, { recursive: true })
  for (const name of ['core', 'native']) symlinkSync(path.join(packages, name), path.join(links, name))
  writeFileSync(path.join(folder, 'main.mjs'), MAIN)
  return spawn(process.execPath, ['main.mjs'], {
    cwd: folder,
    env: { ...process.env, XDG_RUNTIME_DIR: folder, BOOT: values.spawn ? 'spawn' : 'fork' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
}

async function measure(port) {
  let times = []
  let on = true
  const client = async (pause) => {
    while (on) {
      const began = performance.now()
      if (!(await ask(port))) return
      times.push(performance.now() - began)
      if (pause) await sleep(pause)
    }
  }
  const first = client(40)
  await sleep(2_000)
  times = []
  const from = performance.now()
  const others = Array.from({ length: 6 }, () => client(0))
  const decided = await hears(from, ({ what, workers }) => what === 'scale' && workers === 2)
  const both = await hears(from, ({ what }) => what === 'serving')
  const until = p99(times)
  // What had waited for it is not of the time with both.
  await sleep(300)
  times = []
  await sleep(2_000)
  const after = p99(times)
  on = false
  await Promise.all([first, ...others])
  await hears(both.at, ({ what, workers }) => what === 'scale' && workers === 1)
  return [decided.at - from, both.at - from, until, after, until / after]
}

/** Waits for what the cluster tells. @param from only what came after it */
async function hears(from, wanted) {
  const deadline = performance.now() + DEADLINE
  for (;;) {
    const found = heard.find((one) => one.at >= from && wanted(one))
    if (found) return found
    const left = deadline - performance.now()
    if (left <= 0) throw new Error('the cluster does not do what was waited for')
    await Promise.race([
      new Promise((resolve) => {
        wake = resolve
      }),
      sleep(Math.min(left, 250))
    ])
  }
}

/** @returns whether there was an answer: when the cluster is ended early, that is why. */
function ask(port) {
  return new Promise((resolve) => {
    http
      .get({ port, host: '127.0.0.1', agent: false }, (res) => res.resume().on('end', () => resolve(true)))
      .on('error', () => resolve(false))
  })
}

function p99(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
}
