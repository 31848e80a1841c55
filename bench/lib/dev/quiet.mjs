import { setTimeout as sleep } from 'node:timers/promises'
import { cpuTime } from '../proc.mjs'
import { startedByUs } from '../server.mjs'

/**
 * Waits until what this run has started is idle, so that nothing of one tool's turn is paid for by the next: a standby process
 * may still load, and a mold may still fork.
 * @param {{ least?: number, most?: number }} [how] ms
 */
export async function quiet({ least = 400, most = 8_000 } = {}) {
  const until = performance.now() + most
  await sleep(least)
  let before = times()
  for (let idle = 0; idle < 2 && performance.now() < until; ) {
    await sleep(200)
    const now = times()
    // One tick of the clock is 10 ms.
    const used = [...now].reduce((sum, [pid, time]) => sum + time - (before.get(pid) ?? 0), 0)
    idle = used <= 20 ? idle + 1 : 0
    before = now
  }
}

function times() {
  return new Map(startedByUs().map((pid) => [pid, cpuTime(pid)]))
}
