import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { put, reload } from '../support/deploy.js'
import { startCli } from '../support/fixture.js'
import { startLoad } from '../support/loss/index.js'

const HABITS = ['new-connection', 'keep-alive', 'pipelined'] as const

const linux = process.platform === 'linux' ? false : 'reads /proc'

t.test('a hundred reloads lose nothing, and leave the supervisor as it was', { skip: linux }, async (t) => {
  const app = `import { createServer } from 'node:http'
import { lossApp } from '${new URL('../support/loss/index.js', import.meta.url).href}'
createServer(lossApp).listen(0, '127.0.0.1')`
  const fixture = startCli(t, ['-w', '2', '--settle', '0', put(path.join(t.testdir(), 'app.mjs'), app)])
  const port = await fixture.port()
  await fixture.workersServing(2)
  const load = startLoad({ port, host: '127.0.0.1', habits: HABITS, concurrency: 1, pace: 20 })
  const descriptors = () => readdirSync(`/proc/${fixture.pid}/fd`).length
  const status = (name: string) =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${fixture.pid}/status`, 'utf8'))?.[1])
  const before = { descriptors: 0, threads: 0, memory: 0 }
  for (let round = 1; round <= 100; round += 1) {
    if ((await reload(fixture)) !== 'done') return t.fail(`reload ${round} failed`)
    if (round === 20)
      Object.assign(before, { descriptors: descriptors(), threads: status('Threads'), memory: status('VmRSS') })
  }
  const report = await load.stop()
  t.equal(report.lost, 0, JSON.stringify(report.losses.slice(0, 5)))
  await fixture.workersServing(2)
  // What still drains has two descriptors each, so that a few more may be open than at the first look.
  t.ok(descriptors() <= before.descriptors + 12, `descriptors: ${before.descriptors}, then ${descriptors()}`)
  t.equal(status('Threads'), before.threads)
  t.ok(status('VmRSS') < before.memory + 40_000, `memory: ${before.memory} kB, then ${status('VmRSS')} kB`)
})
