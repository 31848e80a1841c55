// What the CPU quota and the memory of a cgroup leave room for. Where none may be made, nothing can be tried.

import path from 'node:path'
import t, { type Test } from 'tap'
import { Burning } from '../support/burn.js'
import { type Group, makeGroup } from '../support/cgroup.js'
import { put } from '../support/deploy.js'
import { type Fixture, start } from '../support/fixture.js'
import { operate } from '../support/operated.js'

const MB = 1_024 * 1_024
const [cpu, memory] = [makeGroup('cpu', 1), makeGroup('memory', 400 * MB)]
const unless = (group: Group | string) => (typeof group === 'string' ? { skip: group } : {})

t.test('a CPU quota is the most, and the log says once what limits the number', unless(cpu), async (t) => {
  const { fixture, load } = await grow(t, cpu as Group, 0)
  await fixture.printed(
    /"level":40,.*the load asks for more workers, but 1 are the most: no more can run at the same time/
  )
  const status = await (await operate(t, fixture)).status()
  t.match(status, { target: 1, scaling: { min: 1, max: 2, most: 1, limitedBy: 'cpu' } })
  await load.end()
  t.equal(fixture.log.filter(({ msg }) => /are the most/.test(msg)).length, 1)
})

t.test('what does not fit into the memory is not launched', unless(memory), async (t) => {
  // One fits, with the supervisor and the margin of 64 MB.
  const { fixture, load } = await grow(t, memory as Group, 150)
  await fixture.printed(/the load asks for more workers, but 1 are the most: no more fit into the memory/)
  const status = await (await operate(t, fixture)).status()
  t.match(status, { target: 1, serving: 1, scaling: { most: 1, limitedBy: 'memory' } })
  await load.end()
})

/** A cluster in the group, whose workers hold so many megabytes, under a load that asks for two of them. */
async function grow(t: Test, { enter, remove }: Group, held: number): Promise<{ fixture: Fixture; load: Burning }> {
  t.teardown(remove)
  const text = `import { mapacheHttp } from '@mapache/core'
const burn = () => {
  const held = Buffer.alloc(${held * MB}, 1)
  return (_req, res) => {
    const end = performance.now() + 10
    while (performance.now() < end);
    res.end(String(held.length))
  }
}
await mapacheHttp(burn, { workers: { min: 1, max: 2 } }).listen({ port: 0, host: '127.0.0.1' })`
  const fixture = start(t, put(path.join(t.testdirName, 'app.mjs'), text), { nodeArgs: [enter] })
  return { fixture, load: new Burning(await fixture.port(), 4, 0) }
}
