// node bench/metrics.mjs [--quick]: what @mapache/metrics costs. Requests per second of a hello app in one worker with and
// without it, in turns; the supervisor's and the service's CPU time for a scrape of 16 workers that report; and the service's
// when nobody looks. Linux.

import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from './lib/generator.mjs'
import { machine, showMachine } from './lib/machine.mjs'
import { cpuTime } from './lib/proc.mjs'
import { app, freePort, killAll, Server } from './lib/server.mjs'
import { ratios, showSpread, spread } from './lib/stats.mjs'

const quick = process.argv.includes('--quick')
const TURNS = quick ? 4 : 20
const SECONDS = quick ? 1 : 3
const SCRAPES = quick ? 50 : 400
const WORKERS = 16
const IDLE = quick ? 5_000 : 30_000

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => killAll().then(() => process.kill(process.pid, signal)))
try {
  console.log(showMachine(machine()))
  await throughput()
  await scrapes()
} finally {
  await killAll(2_000)
}

async function throughput() {
  const start = (metrics) =>
    Server.start('mapache', { kind: 'http', app: app('hello'), workers: 1, metrics }, { deadline: 600_000 })
  const servers = { off: await start(undefined), on: await start({ port: await freePort() }) }
  const rates = { off: [], on: [] }
  const costs = { off: [], on: [] }
  for (const server of Object.values(servers)) await generate(urlOf(server), { seconds: 2 })
  for (let turn = 0; turn < TURNS; turn++) {
    // On off, off on: who comes second has it no better.
    for (const which of turn % 2 === 0 ? ['off', 'on'] : ['on', 'off']) {
      const server = servers[which]
      const [{ pid }] = await server.workers()
      const before = cpuTime(pid)
      const { perSecond, failed } = await generate(urlOf(server), { seconds: SECONDS })
      if (failed > 0) throw new Error(`${failed} requests failed`)
      rates[which].push(perSecond)
      costs[which].push(((cpuTime(pid) - before) * 1_000) / (perSecond * SECONDS))
    }
  }
  for (const server of Object.values(servers)) await server.stop()
  console.log(`\none worker, ${TURNS} turns of ${SECONDS} s, median (least–most)`)
  for (const which of ['off', 'on']) {
    const [rate, cost] = [showSpread(spread(rates[which]), 0), showSpread(spread(costs[which]), 1)]
    console.log(`  metrics ${which.padEnd(3)}  ${rate} req/s, ${cost} µs of the worker's CPU a request`)
  }
  const [rate, cost] = [ratios(rates.on, rates.off), ratios(costs.on, costs.off)]
  console.log(`  on ÷ off     ${showSpread(rate, 3)} of the requests, ${showSpread(cost, 3)} of the CPU time a request`)
}

async function scrapes() {
  const port = await freePort()
  const task = { kind: 'http', app: app('hello'), workers: WORKERS, metrics: { port }, options: { settle: 0 } }
  const server = await Server.start('mapache', task, { deadline: 600_000 })
  await whenAllServe(port)
  const { pid: service } = (await status(port)).processes.find(({ role }) => role === 'service')
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  for (let left = 20; left > 0; left--) await get(port, '/metrics')
  await sleep(3_000)

  const idle = await used([server.pid, service], () => sleep(IDLE))
  const ask = async () => {
    for (let left = SCRAPES; left > 0; left--) {
      // So that there is something new to tell, of each worker in turn.
      for (let request = 0; request < 4; request++) await get(server.port, '/', agent)
      await get(port, '/metrics')
    }
  }
  const busy = await used([server.pid, service], ask)
  agent.destroy()
  // What both use by themselves in that time is not the scrapes'.
  const own = (index) => busy.cpu[index] - (idle.cpu[index] * busy.time) / idle.time
  const bytes = (await get(port, '/metrics')).length
  await server.stop()
  console.log(`\n${WORKERS} workers, ${SCRAPES} scrapes of ${bytes} bytes, CPU time from /proc`)
  console.log(
    `  a scrape: ${(own(0) / SCRAPES).toFixed(2)} ms of the supervisor, ${(own(1) / SCRAPES).toFixed(2)} ms of the service`
  )
  console.log(
    `  when nobody looks: service ${share(idle, 1)} % of a CPU, supervisor ${share(idle, 0)} %, over ${IDLE / 1_000} s`
  )
}

/** CPU time that processes use while something is done, ms. */
async function used(pids, act) {
  const before = pids.map(cpuTime)
  const start = performance.now()
  await act()
  return { cpu: pids.map((pid, index) => cpuTime(pid) - before[index]), time: performance.now() - start }
}

function share({ cpu, time }, index) {
  return ((cpu[index] / time) * 100).toFixed(2)
}

async function whenAllServe(port) {
  const deadline = performance.now() + 120_000
  while ((await status(port).catch(() => undefined))?.serving !== WORKERS) {
    if (performance.now() > deadline) throw new Error(`${WORKERS} workers do not serve`)
    await sleep(100)
  }
}

async function status(port) {
  return JSON.parse(await get(port, '/status'))
}

function get(port, path, agent = false) {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent }, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve(body))
      })
      .on('error', reject)
  })
}

function urlOf({ port }) {
  return `http://127.0.0.1:${port}/`
}
