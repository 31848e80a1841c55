// More lines than the channel holds at a time, logged in one go: how the setup ended is known all the same.

import path from 'node:path'
import t, { type Test } from 'tap'
import { put } from '../support/deploy.js'
import { type Fixture, start } from '../support/fixture.js'

const LINES = 3_000

function run(t: Test & { testdir(): string }, end: string): Fixture {
  const text = `import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (req, res) => res.end('ok'), {
      workers: 1,
      setup: ({ log }) => {
        for (let line = 1; line <= ${LINES}; line += 1) log('info', 'row ' + line + ' of many'.repeat(20))
        ${end}
      }
    }).listen(0, '127.0.0.1')`
  return start(t, put(path.join(t.testdir(), 'app.mjs'), text))
}

const lines = ({ output }: Fixture) => output.match(/: row \d+ of many/g)?.length

t.test('one that logs much is done', async (t) => {
  const fixture = run(t, '')
  await fixture.workersServing(1)
  t.match(fixture.output, /setup gen=1 pid=\d+ done after/)
  t.equal(lines(fixture), LINES)
})

t.test('one that logs much and throws has failed, with its own error', async (t) => {
  const fixture = run(t, "throw new Error('row 3001 is not there')")
  t.match(await fixture.exit(), { code: 1 })
  t.match(fixture.output, 'MAPACHE_SETUP_FAILED: the setup of generation 1 failed: row 3001 is not there')
  t.equal(lines(fixture), LINES)
})
