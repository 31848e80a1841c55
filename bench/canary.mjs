// node bench/canary.mjs [--quick]: what it costs that workers count their answers while a canary soaks. Requests per second and
// CPU time a request of a hello app in two workers, in turns: two that do not measure, and an old one with its canary. Linux.

import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from './lib/generator.mjs'
import { machine, showMachine } from './lib/machine.mjs'
import { cpuTime } from './lib/proc.mjs'
import { app, killAll, Server } from './lib/server.mjs'
import { ratios, showSpread, spread } from './lib/stats.mjs'

const quick = process.argv.includes('--quick')
const TURNS = quick ? 4 : 20
const SECONDS = quick ? 1 : 3
/** Longer than all of it takes, ms. */
const SOAK = 1_800_000

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => killAll().then(() => process.kill(process.pid, signal)))
try {
  console.log(showMachine(machine()))
  await throughput()
} finally {
  await killAll(2_000)
}

async function throughput() {
  const start = (workers) => {
    const options = { spare: 0, settle: 0, canary: { soak: SOAK } }
    return Server.start('mapache', { kind: 'http', app: app('hello'), workers, options }, { deadline: SOAK })
  }
  const servers = { off: await start(2), on: await start(1) }
  // It ends with the server.
  servers.on.reload().catch(() => {})
  for (const server of Object.values(servers)) {
    await twoServe(server)
    await generate(urlOf(server), { seconds: 2 })
  }
  const rates = { off: [], on: [] }
  const costs = { off: [], on: [] }
  for (let turn = 0; turn < TURNS; turn++) {
    // On off, off on: who comes second has it no better.
    for (const which of turn % 2 === 0 ? ['off', 'on'] : ['on', 'off']) {
      const server = servers[which]
      const pids = (await server.workers()).map(({ pid }) => pid)
      const before = used(pids)
      const { perSecond, failed } = await generate(urlOf(server), { seconds: SECONDS })
      if (failed > 0) throw new Error(`${failed} requests failed`)
      rates[which].push(perSecond)
      costs[which].push(((used(pids) - before) * 1_000) / (perSecond * SECONDS))
    }
  }
  for (const server of Object.values(servers)) await server.stop()
  console.log(`\ntwo workers, ${TURNS} turns of ${SECONDS} s, median (least–most)`)
  for (const which of ['off', 'on']) {
    const [rate, cost] = [showSpread(spread(rates[which]), 0), showSpread(spread(costs[which]), 1)]
    console.log(`  measuring ${which.padEnd(3)}  ${rate} req/s, ${cost} µs of the workers' CPU a request`)
  }
  const [rate, cost] = [ratios(rates.on, rates.off), ratios(costs.on, costs.off)]
  console.log(
    `  on ÷ off       ${showSpread(rate, 3)} of the requests, ${showSpread(cost, 3)} of the CPU time a request`
  )
}

function used(pids) {
  return pids.reduce((sum, pid) => sum + cpuTime(pid), 0)
}

async function twoServe(server) {
  const deadline = performance.now() + 30_000
  while ((await server.workers()).filter(({ state }) => state === 'serving').length !== 2) {
    if (performance.now() > deadline) throw new Error('two workers do not serve')
    await sleep(50)
  }
}

function urlOf({ port }) {
  return `http://127.0.0.1:${port}/`
}
