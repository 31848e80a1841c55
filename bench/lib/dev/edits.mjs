import { setTimeout as sleep } from 'node:timers/promises'
import { quiet } from './quiet.mjs'
import { Stream } from './stream.mjs'

// Answers with the old version are looked for so long after the first new one, ms.
const AFTERWARDS = 300

/**
 * Edits the app of each server in turn (A B C A B C …), so many times.
 * @returns {Promise<{ name: string, tool: object, times: number[], counts: object }[]>} `times` from the save to the first new
 *   answer, in ms; Infinity if there was none
 */
export async function edits(servers, count) {
  const rows = servers
    .filter(({ tool }) => !tool.never)
    .map((server) => ({ server, tool: server.tool, name: server.tool.name, times: [], counts: {} }))
  for (let turn = 0; turn < count; turn += 1) {
    for (const row of rows) {
      const { time, counts } = await edit(row.server)
      row.times.push(time)
      for (const [name, value] of Object.entries(counts)) row.counts[name] = (row.counts[name] ?? 0) + value
      await quiet()
    }
  }
  return rows.map(({ server: _, ...row }) => row)
}

/** One edit while clients ask. */
async function edit({ port, tool, copy }) {
  const version = nextVersion(copy)
  if (tool.solo) return editFirst({ port, copy, version })
  const stream = new Stream(port)
  await stream.everywhere(version - 1)
  // Not in step with whoever looks at the clock.
  await sleep(50 + Math.random() * 100)
  copy.edit(`v${version}`)
  const written = performance.now()
  const first = await stream.first(version)
  await sleep(AFTERWARDS)
  await stream.stop()
  return { time: first === undefined ? Number.POSITIVE_INFINITY : first - written, counts: stream.counts }
}

/** Asks only after the save: whoever starts a server for each request has none that runs. */
async function editFirst({ port, copy, version }) {
  copy.edit(`v${version}`)
  const written = performance.now()
  const stream = new Stream(port, { fresh: 1, kept: 0 })
  const first = await stream.first(version)
  await stream.stop()
  return { time: first === undefined ? Number.POSITIVE_INFINITY : first - written, counts: stream.counts }
}

/** So many edits, one soon after the other, under requests on new and on kept connections. */
export async function editsUnderStream({ port, copy }, count) {
  const stream = new Stream(port, { fresh: 2, kept: 4, pause: 2 })
  const times = []
  let missed = 0
  for (let turn = 0; turn < count; turn += 1) {
    const version = nextVersion(copy)
    copy.edit(`v${version}`)
    const written = performance.now()
    const first = await stream.first(version)
    if (first === undefined) missed += 1
    else times.push(first - written)
    await stream.everywhere(version)
    await sleep(Math.random() * 400)
  }
  await stream.stop()
  return { times, missed, counts: stream.counts }
}

const versions = new WeakMap()
function nextVersion(copy) {
  const version = (versions.get(copy) ?? 0) + 1
  versions.set(copy, version)
  return version
}
