// node bench/dev-edits.mjs [--edits 1000] [--strategy fork | --tool NAME] [--node FILE] [--json FILE]
//
// Edits the app of bench/dev-app so many times under `mapache dev`, and says what the supervisor and the mold hold at the
// start of it, on the way and at its end: memory, descriptors, threads, children. What grows with the edits is a leak.

import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { copyApp, installDevApp, removeCopies } from './lib/dev/app.mjs'
import { family, flat, replaced, show } from './lib/dev/family.mjs'
import { quiet } from './lib/dev/quiet.mjs'
import { DevServer } from './lib/dev/server.mjs'
import { Stream } from './lib/dev/stream.mjs'
import { mapacheMissing, tools } from './lib/dev/tools.mjs'
import { killAll } from './lib/server.mjs'
import { fixed, spread } from './lib/stats.mjs'

const print = (text) => process.stdout.write(`${text}\n`)
const { values } = parseArgs({
  options: {
    edits: { type: 'string', default: '1000' },
    strategy: { type: 'string', default: 'fork' },
    tool: { type: 'string' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'string' }
  }
})
const count = Number(values.edits)
const wanted = values.tool ?? `mapache ${values.strategy}`
const missing = wanted.startsWith('mapache') ? mapacheMissing(values.node) : undefined
const tool = tools('js', 'server.mjs', values.node).find(({ name }) => name === wanted)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => killAll().then(() => process.kill(process.pid, signal)))
}

if (missing !== undefined || tool === undefined || !(count >= 10)) {
  print(
    missing ??
      'usage: node bench/dev-edits.mjs [--edits N] [--strategy fork|standby|restart | --tool NAME] [--node FILE]'
  )
  process.exitCode = 2
} else {
  try {
    installDevApp(print)
    await run()
  } finally {
    await killAll(2_000)
    removeCopies()
  }
}

async function run() {
  const copy = copyApp(`${wanted}-edits`, 'js')
  const server = await DevServer.start(tool, copy, { node: values.node })
  await quiet({ most: 20_000 })
  const stream = new Stream(server.port, { fresh: 0, kept: 2, pause: 2 })
  const times = []
  const samples = []
  let missed = 0
  // The first tenth fills caches and warms up: it is no leak.
  const every = Math.max(1, Math.floor(count / 10))
  for (let version = 1; version <= count; version += 1) {
    copy.edit(`v${version}`)
    const written = performance.now()
    const first = await stream.first(version)
    if (first === undefined) missed += 1
    else times.push(first - written)
    await sleep(20)
    if (version % every !== 0 && version !== count) continue
    await quiet()
    const sample = { edits: version, family: family(server.pid) }
    samples.push(sample)
    print(show(sample))
  }
  await stream.stop()
  const { median, max } = spread(times)
  print(`\n${count} edits: median ${fixed(median)} ms, slowest ${fixed(max)} ms, ${missed} without a new answer`)
  print(`answers: ${JSON.stringify(stream.counts)}`)
  if (replaced(samples[0], samples.at(-1))) print('the mold is not the one of the start any more')
  const problems = flat(samples[0], samples.at(-1))
  for (const problem of problems) print(`NOT FLAT: ${problem}`)
  if (problems.length === 0) print('flat: memory, descriptors, threads and children of supervisor and mold')
  else process.exitCode = 1
  await server.stop()
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ times, samples, counts: stream.counts })}\n`)
}
