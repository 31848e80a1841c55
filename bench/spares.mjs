// node bench/spares.mjs [--quick]: a worker is killed under load, with a spare and without, spawned and forked, in turns: how long
// until as many serve as before, and what is lost beside the connections that the dead worker held. Linux.

import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from './lib/killed.mjs'
import { machine, showMachine } from './lib/machine.mjs'
import { installApp, MoldsServer } from './lib/molds.mjs'
import { killAll } from './lib/server.mjs'
import { showSpread, spread } from './lib/stats.mjs'
import { table } from './lib/table.mjs'

const KILLS = process.argv.includes('--quick') ? 5 : 25
const WORKERS = 2
/** Milliseconds between two kills, beside the time that the next spare takes. */
const PAUSE = 300

const WAYS = [
  { name: 'spawned', boot: 'spawn', spare: 0 },
  { name: 'spawned, a spare', boot: 'spawn', spare: 1 },
  { name: 'forked', boot: 'fork', spare: 0 },
  { name: 'forked, a spare', boot: 'fork', spare: 1 }
]

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => killAll().then(() => process.kill(process.pid, signal)))
try {
  console.log(showMachine(machine()))
  installApp((text) => console.log(text))
  const rows = []
  for (const way of WAYS) rows.push(await measure(way))
  console.log(`\n${WORKERS} workers of an app with ten dependencies under load, ${KILLS} killed, median (least–most)`)
  console.log(table(['', 'capacity is back after, ms', 'answered', 'lost with the dead', 'lost otherwise'], rows))
} finally {
  await killAll(2_000)
}

async function measure({ name, boot, spare }) {
  const backoff = { min: 1, max: 1 }
  const server = await MoldsServer.start({ boot, spare, workers: WORKERS, backoff })
  const client = new Client(server.port)
  const times = []
  for (let kill = 0; kill < KILLS; kill++) {
    await server.until(() => alive(server).length === WORKERS + spare)
    await sleep(PAUSE)
    const serving = server.named('worker:serving').filter(({ id }) => !exited(server, id))
    const count = server.named('worker:serving').length
    client.killedAt = performance.now()
    process.kill(serving[0].pid, 'SIGKILL')
    await server.until(() => server.named('worker:serving').length > count)
    times.push(performance.now() - client.killedAt)
  }
  await client.stop()
  await server.stop()
  return [name, showSpread(spread(times), 1), String(client.answered), String(client.held), String(client.lost)]
}

function exited(server, id) {
  return server.named('worker:exit').some((one) => one.id === id)
}

/** The workers that have booted, the spares with them. */
function alive(server) {
  return server.named('worker:ready').filter(({ id }) => !exited(server, id))
}
