import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from '../lib/generator.mjs'
import { installApp, MoldsServer } from '../lib/molds.mjs'
import { fixed, median, ratios, showSpread, spread } from '../lib/stats.mjs'
import { table } from '../lib/table.mjs'

const HOW = ['spawn', 'fork']

/** Workers forked from a mold next to spawned ones, of an app with heavy dependencies: memory, boot, reload, speed. */
export async function molds({ args, print }) {
  if (process.platform !== 'linux') {
    print('\nmolds: skipped, forking is for Linux')
    return undefined
  }
  installApp(print)
  const load = args.quick ? 3 : 60
  const rounds = args.quick ? 1 : Math.min(args.rounds, 3)
  const results = { memory: {}, starts: undefined, speed: undefined }
  for (const workers of args.quick ? [4] : [4, 8]) results.memory[workers] = await share(workers, load, print)
  results.starts = await starts(rounds, print)
  results.speed = await speed(args.quick ? 1 : 3, args.quick ? 3 : 20, print)
  return results
}

/** Memory of the whole cluster, mold included, after load. */
async function share(workers, seconds, print) {
  const found = {}
  for (const boot of HOW) {
    const server = await MoldsServer.start({ workers, boot })
    const { perSecond, failed } = await generate(server.url, { seconds })
    await sleep(2_000)
    found[boot] = { ...server.pss(), perSecond, failed }
    await server.stop()
  }
  const ratio = found.fork.all / found.spawn.all
  print(`\nmolds: memory (PSS) of ${workers} workers after ${seconds} s of load, MB`)
  print(
    table(
      ['', 'whole cluster', 'supervisor', 'a worker, median', 'req/s', 'failed'],
      HOW.map((boot) => {
        const { all, supervisor, processes, perSecond, failed } = found[boot]
        const own = [...processes].sort((a, b) => a - b)
        return [boot, fixed(all), fixed(supervisor), fixed(median(own)), fixed(perSecond), failed]
      })
    )
  )
  print(`  forked ÷ spawned ${fixed(ratio, 2)}, limit ${workers >= 8 ? '0.40' : '0.50'}`)
  return { ...found, ratio }
}

/** How long a worker takes from its launch until it serves, and a reload of four. */
async function starts(rounds, print) {
  const boots = { spawn: [], fork: [] }
  const reloads = { spawn: [], fork: [] }
  for (let round = 0; round < rounds; round += 1) {
    for (const boot of HOW) {
      const server = await MoldsServer.start({ workers: 4, boot, settle: 0 })
      const reload = await server.roll('SIGHUP')
      // Of the reload: they boot one at a time.
      boots[boot].push(median(server.boots().slice(-4)))
      reloads[boot].push(reload)
      await server.stop()
    }
  }
  const boot = ratios(boots.fork, boots.spawn)
  const reload = ratios(reloads.fork, reloads.spawn)
  print(`\nmolds: starts, ${rounds} turns, median (least–most), ms`)
  print(
    table(
      ['', 'a worker, launch to serving', 'reload of 4 workers, settle 0'],
      HOW.map((how) => [how, showSpread(spread(boots[how]), 0), showSpread(spread(reloads[how]), 0)])
    )
  )
  print(`  forked ÷ spawned: boot ${showSpread(boot)}, limit 0.20; reload ${showSpread(reload)}, limit 0.40`)
  return { boots, reloads, boot, reload }
}

/** One worker under load: spawned, forked, and forked from a warm one; its first seconds, and after that. */
async function speed(rounds, seconds, print) {
  const kinds = ['spawned', 'forked', 'reforked']
  const early = Object.fromEntries(kinds.map((kind) => [kind, []]))
  const first = Object.fromEntries(kinds.map((kind) => [kind, []]))
  const late = Object.fromEntries(kinds.map((kind) => [kind, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of kinds) {
      const server = await MoldsServer.start({ workers: 1, boot: kind === 'spawned' ? 'spawn' : 'fork', settle: 0 })
      if (kind === 'reforked') {
        await generate(server.url, { seconds: 5 })
        await server.roll('SIGURG')
      }
      first[kind].push((await generate(server.url, { seconds: 1 })).perSecond)
      early[kind].push((await generate(server.url, { seconds: 4 })).perSecond)
      late[kind].push((await generate(server.url, { seconds })).perSecond)
      await server.stop()
    }
  }
  print(`\nmolds: requests per second of one worker, ${rounds} turns, median (least–most)`)
  print(
    table(
      [
        '',
        'first second',
        '2nd to 5th',
        `then, ${seconds} s`,
        'then ÷ spawned',
        'first second ÷ spawned',
        '2nd to 5th ÷ spawned'
      ],
      kinds.map((kind) => [
        kind,
        showSpread(spread(first[kind]), 0),
        showSpread(spread(early[kind]), 0),
        showSpread(spread(late[kind]), 0),
        showSpread(ratios(late[kind], late.spawned)),
        showSpread(ratios(first[kind], first.spawned)),
        showSpread(ratios(early[kind], early.spawned))
      ])
    )
  )
  return { first, early, late }
}
