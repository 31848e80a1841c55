import { setTimeout as sleep } from 'node:timers/promises'
import { cpuTime, memory } from '../lib/proc.mjs'
import { app, Server } from '../lib/server.mjs'
import { ratios, showSpread, spread } from '../lib/stats.mjs'
import { table } from '../lib/table.mjs'

const WORKERS = 4
const HELLO = { kind: 'http', app: app('hello'), workers: WORKERS }
const COLUMNS = {
  Mapache: ['mapache', HELLO],
  'node:cluster primary': ['cluster', HELLO],
  'Node that only waits': ['idle', {}]
}
const BASE = 'Node that only waits'
// A fresh process still compiles and collects: it is left alone for so long first (ms).
const CALM = 5000

/** What the supervisor itself costs while its four workers have nothing to do. */
export async function supervisor({ args, columns, print }) {
  if (process.platform !== 'linux') {
    print('\nsupervisor: skipped, it needs /proc')
    return undefined
  }
  const window = args.quick ? 4000 : 20_000
  const rounds = Math.min(args.rounds, 3)
  const kept = new Map(Object.entries(COLUMNS).flatMap(([name, [server]]) => (columns.has(server) ? [[name, []]] : [])))
  for (let round = 0; round < rounds; round++) {
    for (const [name, samples] of kept) samples.push(await sample(name, window))
  }
  const base = kept.get(BASE)
  const figures = Object.fromEntries(
    [...kept].map(([name, samples]) => [
      name,
      {
        rss: spread(samples.map(({ rss }) => rss)),
        pss: spread(samples.map(({ pss }) => pss)),
        cpu: spread(samples.map(({ cpu }) => cpu)),
        ratio: ratios(
          samples.map(({ rss }) => rss),
          base.map(({ rss }) => rss)
        )
      }
    ])
  )
  print(`\nsupervisor, ${WORKERS} idle workers, ${rounds} starts in turns, median (least–most)`)
  print(
    table(
      ['', 'RSS, MB', '÷ waiting Node', 'PSS, MB', `CPU over ${window / 1000} s, %`],
      Object.entries(figures).map(([name, { rss, pss, cpu, ratio }]) => [
        name,
        showSpread(rss, 1),
        name === BASE ? '' : showSpread(ratio),
        showSpread(pss, 1),
        showSpread(cpu)
      ])
    )
  )
  return figures
}

async function sample(name, window) {
  const [script, task] = COLUMNS[name]
  const server = await Server.start(script, task)
  await sleep(CALM)
  const [used, since] = [cpuTime(server.pid), performance.now()]
  await sleep(window)
  const cpu = ((cpuTime(server.pid) - used) / (performance.now() - since)) * 100
  const { rss, pss } = memory(server.pid)
  await server.stop()
  return { rss, pss, cpu }
}
