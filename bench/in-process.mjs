// node bench/in-process.mjs: what a module that is imported again leaves behind, each claim of docs/dev.md as a measurement.
//
// A new generation of a file is `import('./file.mjs?v=2')`. Each function below writes such a file, loads some generations of
// it, and returns what it then found.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import vm from 'node:vm'

const claims = {
  timers,
  listeners,
  openServers,
  caches,
  oldGraphs,
  oldGraphsOfCommonJs,
  singletons,
  classes,
  children,
  wrapped
}
const folder = mkdtempSync(path.join(tmpdir(), 'mapache-in-process-'))

try {
  for (const [name, claim] of Object.entries(claims)) console.log(`${name.padEnd(20)} ${await claim()}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()

async function timers() {
  globalThis.ticks = []
  const load = file(
    'timers',
    `export const generation = import.meta.url.at(-1); setInterval(() => ticks.push(generation), 20)`
  )
  for (let generation = 1; generation <= 3; generation += 1) await load(generation)
  await sleep(100)
  const alive = [...new Set(globalThis.ticks)].sort()
  return `of 3 generations, those whose setInterval still runs: ${alive.join(', ')}`
}

async function listeners() {
  const before = process.listenerCount('SIGUSR2')
  const load = file('listeners', `process.on('SIGUSR2', () => {})`)
  for (let generation = 1; generation <= 10; generation += 1) await load(generation)
  const after = process.listenerCount('SIGUSR2')
  process.removeAllListeners('SIGUSR2')
  return `a process.on() of 10 generations: ${after - before} listeners on one event`
}

async function openServers() {
  const load = file(
    'server',
    `import http from 'node:http'
     import { once } from 'node:events'
     const server = http.createServer()
     server.listen(globalThis.port ?? 0, '127.0.0.1')
     await once(server, 'listening')
     globalThis.port = server.address().port`
  )
  await load(1)
  const error = await load(2).catch(({ code }) => code)
  return `a module that listens, loaded again: ${error}`
}

async function caches() {
  const load = file('cache', `export const cache = new Map()`)
  const first = await load(1)
  first.cache.set('user', 'logged in')
  const second = await load(2)
  return `a value put in a module's cache by generation 1, seen by generation 2: ${second.cache.get('user')}`
}

async function oldGraphs() {
  const load = file('graph', `export const ballast = Buffer.alloc(1024 * 1024, 1)`)
  return grown(async (generation) => void (await load(generation)))
}

async function oldGraphsOfCommonJs() {
  write('graph.cjs', `exports.ballast = Buffer.alloc(1024 * 1024, 1)`)
  write(
    'reload.cjs',
    `module.exports = () => {
       delete require.cache[require.resolve('./graph.cjs')]
       // Else the parent keeps each of them.
       module.children.length = 0
       require('./graph.cjs')
     }`
  )
  return grown(createRequire(import.meta.url)(path.join(folder, 'reload.cjs')))
}

async function singletons() {
  write('pool-1.mjs', `export const pool = {}`)
  write('routes-a.mjs', `import { pool } from './pool-1.mjs'; export { pool }`)
  const load = file('routes-b', `import { pool } from './pool-1.mjs?v=2'; export { pool }`)
  const { pool } = await import(url('routes-a.mjs'))
  const other = await load(2)
  return `the one pool, seen by a file of generation 1 and one of generation 2: ${pool === other.pool ? 'the same' : 'two pools'}`
}

async function classes() {
  const load = file('error', `export class NotFound extends Error {}`)
  const first = await load(1)
  const second = await load(2)
  return `new NotFound() of generation 1 instanceof NotFound of generation 2: ${new first.NotFound() instanceof second.NotFound}`
}

async function children() {
  write('child.mjs', `export const text = 'old'`)
  const load = file('parent', `export { text } from './child.mjs'`)
  await load(1)
  write('child.mjs', `export const text = 'new'`)
  const { text } = await load(2)
  return `an imported file was changed and its parent loaded again without a loader hook: the ${text} text`
}

async function wrapped() {
  globalThis.passed = 0
  const original = JSON.stringify
  const load = file(
    'wrap',
    `const before = JSON.stringify
     JSON.stringify = (...args) => { passed += 1; return before(...args) }`
  )
  for (let generation = 1; generation <= 50; generation += 1) await load(generation)
  JSON.stringify({})
  JSON.stringify = original
  return `a global that each of 50 generations wraps: one call passes ${globalThis.passed} wrappers`
}

/** How much memory 50 generations of a file that holds 1 MB have left, everything that can be collected being collected. */
async function grown(load) {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  await load(1)
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let generation = 2; generation <= 51; generation += 1) await load(generation)
  for (let round = 0; round < 5; round += 1) {
    await sleep(20)
    collect()
  }
  const megabytes = (process.memoryUsage().arrayBuffers - before) / 2 ** 20
  return `50 generations of a file that holds 1 MB, after a garbage collection: ${Math.round(megabytes)} MB`
}

/** Writes a module; the function returned loads a generation of it. */
function file(name, text) {
  write(`${name}.mjs`, text)
  return (generation) => import(`${url(`${name}.mjs`)}?v=${generation}`)
}

function write(name, text) {
  writeFileSync(path.join(folder, name), text)
}

function url(name) {
  return pathToFileURL(path.join(folder, name)).href
}
