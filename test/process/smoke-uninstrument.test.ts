import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'

const show = `({
  execArgv: process.execArgv,
  options: process.env.NODE_OPTIONS,
  traces: Object.keys(process.env).filter((name) => name.startsWith('_TAPJS_')),
  handlers: ['SIGTERM', 'SIGINT', 'SIGHUP'].map((signal) => process.listenerCount(signal))
})`
const clean = { execArgv: [], traces: [], handlers: [0, 0, 0] }

t.test('a process that a test starts knows nothing of tap', async (t) => {
  const folder = t.testdir({
    'show.cjs': `const shown = JSON.stringify(${show}); process.send?.(shown) ?? console.log(shown)`
  })
  const file = join(folder, 'show.cjs')

  const spawned = spawnSync(process.execPath, [file], { encoding: 'utf8' })
  t.strictSame(JSON.parse(spawned.stdout), clean, 'spawned, with our environment')
  const bare = spawnSync(process.execPath, [file], { encoding: 'utf8', env: {} })
  t.strictSame(JSON.parse(bare.stdout), clean, 'spawned, with an environment of its own')
  const [forked] = await once(fork(file), 'message')
  t.strictSame(JSON.parse(forked), clean, 'forked')
})
