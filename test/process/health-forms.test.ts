import path from 'node:path'
import t from 'tap'
import { FIXTURES, start, startCli } from '../support/fixture.js'

for (const [form, app] of [
  ['factory', 'express'],
  ['register', 'fastify'],
  ['module', 'server'],
  ['entry', 'server']
] as const) {
  t.test(`a health check by ${form}`, async (t) => {
    const script = path.join(FIXTURES, 'health/forms.mjs')
    const args = ['--workers', '1', '--config', path.join(FIXTURES, 'health/config.mjs'), script, form]
    const fixture = form === 'entry' ? startCli(t, args) : start(t, script, { args: [form] })
    await fixture.printed(new RegExp(`worker=1 gen=1 pid=\\d+ is unhealthy: not well: ${app}`))
    await fixture.printed(/worker=1 gen=1 pid=\d+ ended \(unhealthy, code 0\): it is unhealthy: not well/)
    await fixture.workersServing(1)
    t.match(fixture.output, /worker=2 gen=1 pid=\d+ serving/)
  })
}

t.test('what is no health check is refused, also by a module', async (t) => {
  const fixture = start(t, path.join(FIXTURES, 'health/wrong.mjs'))
  t.match(await fixture.exit(), { code: 1 })
  t.match(
    fixture.output,
    /MAPACHE_OPTION_INVALID: health must be a function or \{ check, interval, timeout, failures \}, got 5/
  )
})
