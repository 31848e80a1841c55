import t from 'tap'
import { get, start } from '../support/fixture.js'

t.test('a cluster serves, reloads on SIGHUP and stops on SIGTERM with nothing left behind', async (t) => {
  const fixture = start(t, 'express.mjs')
  const port = await fixture.port()
  await fixture.workersServing(2)
  t.match((await get(port)).body, /^hello \d$/)

  fixture.kill('SIGHUP')
  await fixture.printed(/reloaded: gen=2 serves/)
  t.match((await get(port)).body, /^hello [34]$/)

  fixture.kill('SIGTERM')
  t.strictSame(await fixture.exit(), { code: 0, signal: null })
  t.strictSame(fixture.processes(), [])
  t.strictSame(fixture.leftovers(), [])
})
