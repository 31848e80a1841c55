import { spawnSync } from 'node:child_process'
import t from 'tap'
import { CLI, get } from '../support/fixture.js'
import { Life } from '../support/life.js'

t.test(
  'a request that kills whoever takes it is a storm: launches are spaced, told once, and revive ends it',
  async (t) => {
    const life = new Life(t, {
      script: 'health/http.mjs',
      options: { workers: 4, backoff: { min: 200, max: 1_000 } }
    })
    const port = await life.port()
    await life.workersServing(4)
    let poisoned = true
    const client = (async () => {
      while (poisoned) await get(port, '/exit').catch(() => {})
    })()
    const { data } = await life.event('crash:storm')
    t.match(data, { generation: 1, crashes: 5, within: 10_000 })
    // Some more, each on its own.
    await life.event('worker:launch', 4 + 4 + 6)
    const events = await life.events()
    const storm = events.findIndex(({ name }) => name === 'crash:storm')
    for (const { name, status } of events.slice(storm)) {
      if (name !== 'worker:launch') continue
      t.equal(status.processes.filter(({ state }) => state === 'launching').length, 1, 'one at a time')
    }
    t.equal(events.filter(({ name }) => name === 'crash:storm').length, 1)
    t.equal([...life.output.matchAll(/crash storm: 5 workers of gen=1/g)].length, 1)
    const { crashes } = await life.status()
    t.match(crashes, [{ reason: 'crash', code: 7, message: 'it exited with code 7' }])
    t.ok((crashes[0]?.times ?? 0) >= 8)
    const shown = spawnSync(process.execPath, [CLI, 'status', '--name', 'fixtures'], {
      env: { ...process.env, XDG_RUNTIME_DIR: life.folder },
      encoding: 'utf8'
    })
    t.match(
      shown.stdout,
      /ended badly:\n {2}\S+ ago {2}worker=\d+ gen=1 crash: it exited with code 7 \(\d+ times in a row\)/
    )
    poisoned = false
    t.ok((await life.call<number>('revive')) >= 0)
    await life.workersServing(4)
    await client
  }
)
