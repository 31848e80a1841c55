import { median, ratios } from '../stats.mjs'
import { keepApart } from './apart.mjs'
import { latency } from './latency.mjs'

/**
 * The time of a request when nothing has changed, with each tool in turn.
 * @returns {Promise<{ name: string, times: number[], time: number, ratio?: object }[]>} `time` in ms; `ratio` to no reloader,
 *   turn by turn
 */
export async function requestTimes(servers, { quick }) {
  const rows = servers.map((server) => ({ server, name: server.tool.name, times: [] }))
  const together = keepApart()
  try {
    for (const { server } of rows) if (!server.tool.solo) await latency(server.port, quick ? 500 : 20_000)
    await takeTurns(rows, quick ? 2 : 31, quick ? 500 : 2_000)
  } finally {
    together()
  }
  const base = rows.find(({ server }) => server.tool.never)
  return rows.map(({ name, times }) => ({
    name,
    times,
    time: median(times),
    ratio: base === undefined ? undefined : ratios(times, base.times)
  }))
}

async function takeTurns(rows, turns, requests) {
  for (let turn = 0; turn < turns; turn += 1) {
    // Each has each place in the row.
    for (const row of rows.map((_, place) => rows[(turn + place) % rows.length])) {
      const { port, tool } = row.server
      if (!tool.solo) row.times.push(await latency(port, requests))
      else if (turn < 3) row.times.push(await latency(port, 3))
    }
  }
}
