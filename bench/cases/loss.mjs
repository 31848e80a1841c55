import { setTimeout as sleep } from 'node:timers/promises'
import { formatReport, Recorder, startLoad } from '../../test/dist/support/loss/index.js'
import { pm2Server } from '../lib/pm2.mjs'
import { app, Server } from '../lib/server.mjs'
import { fixed, median } from '../lib/stats.mjs'
import { table } from '../lib/table.mjs'

const FRAMEWORKS = ['fastify', 'express']
const COLUMNS = { Mapache: 'mapache', 'node:cluster': 'cluster' }
const WORKERS = 2
// Undisturbed time before, between and after reloads (ms).
const STEADY = 1500
// What a reload leaves behind still counts as a part of it: its old workers are finishing (ms).
const AFTERMATH = 500
// Servers take turns after so many reloads.
const BLOCK = 5

/** What clients of all habits lose to rolling reloads, and how much longer they wait meanwhile. */
export async function loss({ args, columns, print }) {
  const figures = {}
  for (const framework of FRAMEWORKS) {
    const names = Object.keys(COLUMNS).filter((name) => columns.has(COLUMNS[name]))
    if (args.pm2) names.push('PM2')
    const kept = new Map(names.map((name) => [name, { recorder: new Recorder(), times: [] }]))
    for (let done = 0; done < args.reloads; done += BLOCK) {
      for (const [name, column] of kept) {
        await block(name, framework, Math.min(BLOCK, args.reloads - done), column, args)
      }
    }
    figures[framework] = Object.fromEntries([...kept].map(([name, column]) => [name, summarise(column)]))
    show(framework, figures[framework], args, print)
  }
  return figures
}

/** Some reloads of a freshly started server under load. */
async function block(name, framework, reloads, { recorder, times }, { pace }) {
  const server = await start(name, framework, 60_000 + reloads * 60_000)
  const load = startLoad({ port: server.port, pace, into: recorder })
  await load.warm(20_000)
  load.mark('steady')
  await sleep(STEADY)
  for (let reload = 0; reload < reloads; reload++) {
    load.mark('reload')
    times.push(await server.reload())
    await sleep(AFTERMATH)
    load.mark('steady')
    await sleep(STEADY)
  }
  // The first answers of the next block come from a cold server: they belong to no phase.
  load.mark('warm-up')
  await load.stop()
  await server.stop()
}

function start(name, framework, deadline) {
  const task = { kind: framework, app: app(`loss-${framework}`), workers: WORKERS }
  if (name === 'PM2') return pm2Server(task, { deadline })
  return Server.start(COLUMNS[name], task, { deadline })
}

function summarise({ recorder, times }) {
  const report = recorder.report(0)
  const { steady, reload } = report.prompt
  return {
    reloads: times.length,
    reloadTime: median(times),
    requests: report.requests,
    lost: report.lost,
    byKind: report.byKind,
    byHabit: Object.fromEntries(Object.entries(report.habits).map(([habit, { lost }]) => [habit, lost])),
    pipelined: report.pipelined,
    p999: { steady: steady?.p999, reload: reload?.p999, ratio: reload?.p999 / steady?.p999 },
    p50: { steady: steady?.p50, reload: reload?.p50 },
    clientErrors: report.clientErrors.length,
    sample: report.lost === 0 ? undefined : formatReport(report, 10)
  }
}

function show(framework, figures, { reloads, pace }, print) {
  const columns = Object.values(figures)
  print(`\n${framework}, ${WORKERS} workers, ${reloads} reloads under all habits, busy ones pause ${pace} ms`)
  const row = (name, cell) => [name, ...columns.map(cell)]
  const habits = [...new Set(columns.flatMap(({ byHabit }) => Object.keys(byHabit)))]
  const kinds = [...new Set(columns.flatMap(({ byKind }) => Object.keys(byKind)))]
  const rows = [
    row('requests', ({ requests }) => fixed(requests)),
    row('lost', ({ lost }) => fixed(lost)),
    row('  per reload', ({ lost, reloads }) => fixed(lost / reloads, 1)),
    ...kinds.map((kind) => row(`  ${kind}`, ({ byKind }) => byKind[kind] ?? 0)),
    ...habits
      .filter((habit) => columns.some(({ byHabit }) => byHabit[habit] > 0))
      .map((habit) => row(`  of habit ${habit}`, ({ byHabit }) => byHabit[habit] ?? 0)),
    row('pipelined, answered', ({ pipelined }) => `${fixed(pipelined.answered)} of ${fixed(pipelined.sent)}`),
    row('p99.9 steady, ms', ({ p999 }) => fixed(p999.steady, 1)),
    row('p99.9 during reloads, ms', ({ p999 }) => fixed(p999.reload, 1)),
    row('  ratio', ({ p999 }) => fixed(p999.ratio, 2)),
    row('a reload takes, ms (median)', ({ reloadTime }) => fixed(reloadTime))
  ]
  if (columns.some(({ clientErrors }) => clientErrors > 0)) {
    rows.push(row('errors of the client itself', ({ clientErrors }) => clientErrors))
  }
  print(table(['', ...Object.keys(figures)], rows))
}
