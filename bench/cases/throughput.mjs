import { accepts } from '../lib/accepts.mjs'
import { generate } from '../lib/generator.mjs'
import { onPath } from '../lib/machine.mjs'
import { cpuTime } from '../lib/proc.mjs'
import { app, Server } from '../lib/server.mjs'
import { fixed, ratios, showSpread, spread } from '../lib/stats.mjs'
import { table } from '../lib/table.mjs'

const TWO = {
  Mapache: { server: 'mapache', task: { workers: 2 } },
  'node:cluster round robin': { server: 'cluster', task: { workers: 2, policy: 'rr' } },
  'node:cluster shared handle': { server: 'cluster', task: { workers: 2, policy: 'none' } }
}
const ONE = {
  Mapache: { server: 'mapache', task: { workers: 1 } },
  'bare Node': { server: 'single', task: {} }
}
const HABITS = { 'keep-alive': false, 'new connections': true }

/** Requests per second of the same hello app, two workers and one, measured in turns. */
export async function throughput({ args, columns, machine, print }) {
  const two = await group('two workers', TWO, pinning(machine.cpus, 2))
  const one = await group('one worker', ONE, pinning(machine.cpus, 1))
  return { two, one }

  async function group(title, all, pins) {
    const variants = Object.entries(all).filter(([, { server }]) => columns.has(server))
    const deadline = 60_000 + variants.length * args.rounds * 2 * (args.seconds * 1000 + 2000)
    const servers = new Map()
    for (const [name, { server, task }] of variants) {
      const how = { deadline, cpus: pins?.server }
      servers.set(name, await Server.start(server, { kind: 'http', app: app('hello'), ...task }, how))
    }
    const figures = await turns(servers, pins?.generator)
    for (const server of servers.values()) await server.stop()
    show(title, pins, figures)
    return { pins, figures }
  }

  /** A B C A B C …: whatever else the machine does meets all of them alike. */
  async function turns(servers, cpus) {
    const rounds = new Map([...servers.keys()].map((name) => [name, emptyRounds()]))
    // One turn each for the optimiser, not counted.
    for (const server of servers.values()) await generate(url(server), { seconds: 1, cpus })
    for (let round = 0; round < args.rounds; round++) {
      for (const [habit, reconnect] of Object.entries(HABITS)) {
        for (const [name, server] of servers) {
          const { perSecond, failed, share } = await turn(server, { seconds: args.seconds, reconnect, cpus })
          const kept = rounds.get(name)
          kept[habit].push(perSecond)
          kept.failed += failed
          if (!reconnect) kept.share.push(share)
        }
      }
      for (const [name, server] of servers) rounds.get(name).accepts.push((await accepts(server.port))[0])
    }
    return summarise(rounds)
  }

  function show(title, pins, figures) {
    const place = pins === undefined ? 'not pinned' : `server on CPU ${pins.server}, load on CPU ${pins.generator}`
    print(`\n${title}, ${place}; ${args.rounds} turns of ${args.seconds} s, median (least–most)`)
    const head = ['', ...Object.keys(HABITS).flatMap((habit) => [`${habit}, req/s`, 'Mapache ÷ this']), 'failed']
    const even = title === 'two workers' ? ['busiest worker: CPU', 'of 64 accepts'] : []
    const rows = Object.entries(figures).map(([name, figure]) => [
      name,
      ...Object.keys(HABITS).flatMap((habit) => [showSpread(figure[habit], 0), ratioCell(figure.ratio?.[habit])]),
      figure.failed,
      ...(even.length === 0 ? [] : [`${fixed(figure.share.median * 100)} %`, showSpread(figure.accepts, 0)])
    ])
    print(table([...head, ...even], rows))
  }
}

/** One turn, and the share of the workers' CPU time that the busiest of them used: 0.5 is even for two. */
async function turn(server, options) {
  const pids = (await server.workers()).map(({ pid }) => pid)
  const before = pids.map(cpuTime)
  const result = await generate(url(server), options)
  const used = pids.map((pid, index) => cpuTime(pid) - before[index])
  return { ...result, share: Math.max(...used) / used.reduce((sum, ms) => sum + ms, 0) }
}

function emptyRounds() {
  return { 'keep-alive': [], 'new connections': [], failed: 0, share: [], accepts: [] }
}

function summarise(rounds) {
  const ours = rounds.get('Mapache')
  return Object.fromEntries(
    [...rounds].map(([name, kept]) => [
      name,
      {
        ...Object.fromEntries(Object.keys(HABITS).map((habit) => [habit, spread(kept[habit])])),
        failed: kept.failed,
        share: spread(kept.share),
        accepts: spread(kept.accepts),
        ratio:
          ours === undefined || ours === kept
            ? undefined
            : Object.fromEntries(Object.keys(HABITS).map((habit) => [habit, ratios(ours[habit], kept[habit])]))
      }
    ])
  )
}

/** One CPU for each worker and others for the load; not at all where there are not enough of them. */
function pinning(cpus, workers) {
  if (!onPath('taskset') || cpus <= workers) return undefined
  const range = (first, last) => (first === last ? `${first}` : `${first}-${last}`)
  return { server: range(0, workers - 1), generator: range(workers, cpus - 1) }
}

function ratioCell(ratio) {
  return ratio === undefined ? '' : showSpread(ratio)
}

function url({ port }) {
  return `http://127.0.0.1:${port}/`
}
