import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'

const require = createRequire(import.meta.url)

/** The machine and the versions that a figure belongs to. */
export function machine() {
  const cpus = os.cpus()
  return {
    cpu: `${cpus.length} × ${cpus[0]?.model.trim() ?? 'unknown'}`,
    cpus: cpus.length,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
    generator: onPath('wrk') ? 'wrk' : `autocannon ${version('autocannon')}`,
    packages: Object.fromEntries(['@mapache/core', 'fastify', 'express'].map((name) => [name, version(name)])),
    load: os.loadavg().map((load) => Number(load.toFixed(2)))
  }
}

/** The header of a run. */
export function showMachine({ cpu, memory, system, node, generator, packages, load }) {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `${cpu}, ${memory}, ${system}\nNode ${node}, ${versions.join(', ')}, ${generator}; load before: ${load.join(' ')}`
}

/** Whether a command is there to be run. */
export function onPath(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0
}

function version(name) {
  try {
    // Not every package exports its package.json; all lie beside a file that can be resolved.
    const [folder] = require.resolve.paths(name).filter((path) => isThere(`${path}/${name}/package.json`))
    return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
  } catch {
    return 'missing'
  }
}

function isThere(file) {
  try {
    return readFileSync(file) !== undefined
  } catch {
    return false
  }
}
