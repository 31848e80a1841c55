import { spawnSync } from 'node:child_process'
import os from 'node:os'
import { onPath } from '../machine.mjs'
import { startedByUs } from '../server.mjs'

/**
 * Gives what this run has started a CPU of its own, and the benchmark another, until undone. Else a request costs half as much
 * whenever the scheduler happens to put both on one CPU.
 * @returns {() => void} undoes it; nothing is done where there is one CPU, or no taskset
 */
export function keepApart() {
  const last = os.cpus().length - 1
  if (last < 1 || !onPath('taskset')) return () => {}
  pin(process.pid, '0')
  for (const pid of startedByUs()) pin(pid, `${last}`)
  return () => {
    for (const pid of [process.pid, ...startedByUs()]) pin(pid, `0-${last}`)
  }
}

function pin(pid, cpus) {
  spawnSync('taskset', ['-a', '-c', '-p', cpus, `${pid}`], { stdio: 'ignore' })
}
