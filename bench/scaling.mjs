// node bench/scaling.mjs [--trace FILE] [--policy FILE] [--max N] [--boot MS] [--seed N] …: what policies make of simulated traffic.
//
// Nothing is started: workers, their boot and their reports are modelled (test/support/scaling/model.ts), the policy and its
// bounds are the real ones. The same seed gives the same traffic to each policy.

import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { apache } from './lib/scaling/apache.mjs'
import { table } from './lib/table.mjs'

const USAGE = `usage: node bench/scaling.mjs [options]

  --trace FILE   recorded traffic in place of the kinds: lines of second,requests[,ms of work]
  --policy FILE  a module whose default export is a policy, (vitals, desired) => desired, in one column more
  --kind NAME    only this kind of traffic: step, sine, spikes, slow or idle
  --min N        the fewest workers; default 1
  --max N        the most workers; default 8
  --boot MS      how long a worker boots; default 150, as a fork does; a spawned one takes about 900
  --seed N       another traffic of the same kind; default 1`

const { values } = parseArgs({
  options: {
    trace: { type: 'string' },
    policy: { type: 'string' },
    kind: { type: 'string' },
    min: { type: 'string', default: '1' },
    max: { type: 'string', default: '8' },
    boot: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false }
  }
})
if (values.help) {
  console.log(USAGE)
  process.exit()
}
const built = new URL('../test/dist/support/scaling/model.js', import.meta.url)
if (!existsSync(built)) throw new Error('the tests are not built: npm run build')
const { flaps, percentile, simulate, timeUntil } = await import(built.href)
const { jobsOf, KINDS, recorded, STEP_AT } = await import('../test/dist/support/scaling/traffic.js')
const { bounded, createPolicy } = await import('../packages/core/dist/cluster/autoscale.js')

const [min, max, boot, seed] = ['min', 'max', 'boot', 'seed'].map((name) => Number(values[name]))
const range = { min, max, minSpare: 0.5, maxSpare: 1.75 }
const limits = { cpu: max, memory: undefined }
const own = values.policy && (await import(pathToFileURL(path.resolve(values.policy)).href)).default
if (own !== undefined && typeof own !== 'function')
  throw new Error(`${values.policy} has no function as its default export`)

/** What is compared: each run begins with a policy of its own, except for the user's, which is one function. */
const POLICIES = [
  [`fixed ${min}`, () => ({ policy: () => min })],
  [`fixed ${max}`, () => ({ policy: () => max, start: max })],
  ['Apache, 1 Hz', () => ({ policy: apache({ minSpare: 1, maxSpare: 3 }), interval: 1_000 })],
  ['Mapache', () => ({ policy: createPolicy() })],
  ...(own ? [[path.basename(values.policy), () => ({ policy: own })]] : [])
]

const kinds = values.trace
  ? [recorded(path.basename(values.trace), readFileSync(values.trace, 'utf8'))]
  : KINDS.filter(({ name }) => values.kind === undefined || name === values.kind)
if (kinds.length === 0) throw new Error(`there is no traffic ${values.kind}`)

console.log(`${min} to ${max} workers, boot ${boot} ms, seed ${seed}`)
for (const kind of kinds) {
  const jobs = jobsOf(kind, seed)
  const rows = POLICIES.map(([name, make]) =>
    row(name, simulate(jobs, { range, limits, boot, seconds: kind.seconds, ...make() }), kind)
  )
  console.log(`\n${kind.name}: ${jobs.length} requests in ${kind.seconds} s`)
  console.log(
    table(['', 'to capacity, s', 'used ÷ needed', 'flaps', 'p50 wait, ms', 'p99 wait, ms', 'most workers'], rows)
  )
}
if (!values.trace && !values.kind) console.log(`\none decision at 64 workers: ${cost().toFixed(4)} ms`)

function row(name, outcome, { name: kind }) {
  const time = kind === 'step' ? timeUntil(outcome, STEP_AT * 1_000, max) / 1_000 : undefined
  const most = Math.max(...outcome.serving.map(({ count }) => count))
  return [
    name,
    time === undefined ? '' : Number.isFinite(time) ? time.toFixed(1) : 'never',
    (outcome.used / outcome.needed).toFixed(2),
    flaps(outcome, 10_000),
    percentile(outcome.waits, 0.5).toFixed(0),
    percentile(outcome.waits, 0.99).toFixed(0),
    most
  ]
}

/** Milliseconds that the policy takes to decide, bounds and all. */
function cost() {
  const policy = createPolicy()
  const wide = { ...range, max: 64 }
  const room = { cpu: 64, memory: 64 }
  const workers = Array.from({ length: 64 }, (_, index) => {
    return {
      id: index,
      generation: 1,
      state: 'serving',
      utilisation: (index % 10) / 10,
      inFlight: 3,
      requests: 9,
      delayP99: 1,
      age: 1,
      memory: 5e7,
      silent: 90
    }
  })
  const rounds = 20_000
  const from = performance.now()
  for (let round = 0; round < rounds; round += 1) {
    const vitals = {
      now: round * 250,
      workers,
      serving: 64,
      starting: 0,
      spare: 0,
      died: 0,
      sinceReload: 1e9,
      range: wide,
      limits: room
    }
    bounded(policy(vitals, 64), 64, wide, room)
  }
  return (performance.now() - from) / rounds
}
