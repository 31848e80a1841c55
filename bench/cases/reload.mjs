import { setTimeout as sleep } from 'node:timers/promises'
import { app, Server } from '../lib/server.mjs'
import { fixed, median, showSpread, spread } from '../lib/stats.mjs'
import { table } from '../lib/table.mjs'

const WORKERS = 4
const HELLO = { kind: 'http', app: app('hello'), workers: WORKERS }
// Waited once a roll, by default; ms.
const SETTLE = 1000
// What a roll may take besides settling and starting; ms.
const ALLOWANCE = 300

/** How long a rolling reload of four workers takes, next to four cold starts of the same app and the settling. */
export async function reload({ args, columns, print }) {
  const names = ['mapache', 'cluster'].filter((name) => columns.has(name))
  const servers = new Map()
  for (const name of names)
    servers.set(name, await Server.start(name, HELLO, { deadline: 60_000 + args.rounds * 60_000 }))
  const times = new Map(names.map((name) => [name, []]))
  const colds = []
  for (let round = 0; round < args.rounds; round++) {
    for (const [name, server] of servers) {
      colds.push(await coldStart())
      times.get(name).push(await server.reload())
      // The retired workers leave before the next one is timed.
      await sleep(500)
    }
  }
  for (const server of servers.values()) await server.stop()

  const cold = median(colds)
  const bound = { mapache: SETTLE + WORKERS * cold + ALLOWANCE, cluster: WORKERS * cold }
  const label = { mapache: `settle + ${WORKERS} cold starts + ${ALLOWANCE} ms`, cluster: `${WORKERS} cold starts` }
  const figures = { cold: spread(colds) }
  for (const [name, values] of times) {
    figures[name] = { time: spread(values), bound: bound[name], ratio: spread(values.map((ms) => ms / bound[name])) }
  }
  print(`\nreload of ${WORKERS} idle workers, ${args.rounds} in turns, median (least–most)`)
  const rows = names.map((name) => {
    const { time, ratio } = figures[name]
    return [
      name === 'mapache' ? 'Mapache' : 'node:cluster',
      showSpread(time, 0),
      label[name],
      fixed(bound[name]),
      showSpread(ratio)
    ]
  })
  print(
    table(
      ['', 'takes, ms', 'next to', 'ms', 'ratio'],
      [['one cold start', showSpread(figures.cold, 0), '', '', ''], ...rows]
    )
  )
  return figures
}

/** From starting bare Node with the app until it listens, in ms. */
async function coldStart() {
  const server = await Server.start('single', HELLO)
  await server.stop()
  return server.bootTime
}
