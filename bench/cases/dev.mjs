import { installDevApp, removeCopies } from '../lib/dev/app.mjs'
import { startColumns, stopAll } from '../lib/dev/columns.mjs'
import { edits, editsUnderStream } from '../lib/dev/edits.mjs'
import { requestTimes } from '../lib/dev/request-times.mjs'
import { showComparison, showEdits, showStream } from '../lib/dev/show.mjs'
import { nodeVersion, showTools, stripsTypes } from '../lib/dev/tools.mjs'

/** From a save to the first answer of the new code: dev mode next to what restarts everything and to what reloads in place. */
export async function dev({ args, print }) {
  installDevApp(print)
  const results = {}
  try {
    for (const node of args.nodes) {
      const version = nodeVersion(node)
      print(`\ndev: Node.js ${version}, ${showTools()}`)
      results[version] = await measure({ ...args, node, print })
    }
  } finally {
    removeCopies()
  }
  return results
}

async function measure(how) {
  const { without, node, print } = how
  const results = {}
  if (!without.has('js')) results.js = await javascript(how)
  if (!without.has('ts')) {
    if (!stripsTypes(node)) print('\ndev: this Node.js strips no types: TypeScript needs tsx, and standby is used')
    results.ts = await typescript(how)
  }
  if (!without.has('stream')) results.stream = await stream(how)
  return results
}

async function javascript({ quick, edits: count, node, without, print }) {
  const servers = await startColumns({ language: 'js', node, without, print })
  // Before the edits: a process that has just been started is slower than one that is warm.
  const times = without.has('table') ? undefined : await requestTimes(servers, { quick })
  const rows = await edits(servers, count)
  await stopAll(servers)
  const ratios = showEdits('JavaScript', rows, print)
  if (times !== undefined) showComparison(times, rows, print)
  return { edits: rows, ratios, requests: times }
}

async function typescript({ edits: count, node, without, print }) {
  const servers = await startColumns({ language: 'ts', node, without, print })
  const rows = await edits(servers, count)
  await stopAll(servers)
  return { edits: rows, ratios: showEdits('TypeScript', rows, print) }
}

async function stream({ quick, node, without, print }) {
  const only = ({ strategy }) => strategy !== undefined
  const rows = []
  const servers = await startColumns({ language: 'js', node, without, only, print })
  for (const server of servers)
    rows.push({ name: server.tool.name, ...(await editsUnderStream(server, quick ? 3 : 50)) })
  await stopAll(servers)
  showStream(rows, print)
  return rows
}
