import path from 'node:path'
import t from 'tap'
import { put } from '../support/deploy.js'
import { get, startCli } from '../support/fixture.js'
import { install } from '../support/forking.js'
import { everyWorker } from '../support/serve.js'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const strips = major > 22 || (major === 22 && minor >= 18)
const skip = process.platform !== 'linux' ? 'forking is for Linux' : strips ? false : 'this Node.js strips no types'

t.test('a mold loads TypeScript by the stripping of Node.js itself', { skip }, async (t) => {
  const app = t.testdir()
  install(app)
  const entry = `import http from 'node:http'
const loadedBy: number = process.pid
const about = (): string => JSON.stringify({ pid: process.pid, loadedBy })
http.createServer((_req, res) => res.end(about())).listen(0, '127.0.0.1')
`
  const fixture = startCli(t, ['-w', '2', '--settle', '50', put(path.join(app, 'server.ts'), entry)])
  const [, mold] = await fixture.printed(/mold=\d+ gen=1 pid=(\d+) ready/)
  await fixture.workersServing(2)
  const port = await fixture.port()
  for (const { loadedBy } of (await everyWorker(2, () => get(port))).values()) t.equal(loadedBy, Number(mold))
})
