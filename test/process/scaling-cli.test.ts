// Scaling by the command: the range and the policy of --config, mapache scale auto, and what status says.

import path from 'node:path'
import t from 'tap'
import { parallelism } from '#core/supervisor/limits.js'
import { Running, seeing } from '../support/cli.js'
import { put } from '../support/deploy.js'
import { startCli } from '../support/fixture.js'

t.test('mapache start --config has the policy, and scale pins the number until auto', async (t) => {
  const folder = t.testdir()
  const config = put(
    path.join(folder, 'mapache.config.mjs'),
    `const policy = (vitals, desired) => {
  console.log('asked for', desired)
  return 1
}
export default { workers: { min: 1, max: 64 }, policy, settle: 50 }`
  )
  const entry = put(
    path.join(folder, 'app.mjs'),
    `import http from 'node:http'
http.createServer((_req, res) => res.end()).listen(0, '127.0.0.1')`
  )
  const fixture = startCli(t, ['--config', config, entry])
  const mapache = (...args: string[]) => new Running(t, args, seeing(fixture.folder)).ended
  await fixture.printed(/^asked for 1$/m)
  const limit = `64 workers by the load, now ${parallelism()} at the most: no more run at the same time here`
  t.match((await mapache('status')).stdout, `\n1 to ${parallelism() < 64 ? limit : '64 workers by the load'}\n`)
  t.match(await mapache('scale', '2'), { code: 0, stdout: /2 workers serve\n$/ })
  t.match((await mapache('status')).stdout, /; set by hand until mapache scale auto\n/)
  t.match(await mapache('scale', 'auto'), { code: 0, stdout: /scale done: the load decides\n$/ })
  await fixture.workersServing(1)
  t.match(JSON.parse((await mapache('status', '--json')).stdout), { target: 1, scaling: { pinned: false } })
  t.match(await mapache('scale', 'automatic'), { code: 2, stderr: /whole number from 1 up/ })
})
