import { spawnSync } from 'node:child_process'
import path from 'node:path'
import t from 'tap'
import { ROOT } from '../support/fixture.js'
import { unsupported } from '../support/native.js'

const use = `
  const native = await import('#native')
  const codes = [native.prepare, native.fork, native.socketPair, () => native.reap(1)].map((call) => {
    try { call() } catch ({ code }) { return code }
  })
  console.log(JSON.stringify({ ...native.supported(), codes, selfTest: await native.selfTest() }))`

function inProcess(before: string, env: NodeJS.ProcessEnv = {}) {
  const args = ['--input-type=module', '--eval', `${before}\n${use}`]
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 30_000
  })
  return stdout ? JSON.parse(stdout) : { stderr }
}

t.test('where it does not work the package says so, and does not throw', async (t) => {
  const codes = ['ENOTSUP', 'ENOTSUP', 'ENOTSUP', 'ENOTSUP']
  const ok = false
  const mac = '@mapache/native works on Linux only, and this is darwin'
  t.strictSame(
    inProcess(`Object.defineProperty(process, 'platform', { value: 'darwin' })`),
    { ok, reason: mac, codes, selfTest: { ok, reason: mac } },
    'another platform'
  )

  const missing = inProcess(`Object.defineProperty(process, 'arch', { value: 'riscv64' })`)
  if (process.platform === 'linux') t.match(missing.reason, /has no binary node-\d+-linux-riscv64-\w+\.node: run/)
  t.match(missing, { ok, codes, selfTest: { ok } }, 'no binary')
})

t.test('a binary that does not load is told', unsupported, async (t) => {
  const folder = t.testdir({ 'bad.node': 'this is no binary' })
  const bad = inProcess('', { MAPACHE_NATIVE_BINARY: path.join(folder, 'bad.node') })
  t.match(bad.reason, /bad\.node cannot be loaded: .*(invalid ELF header|file too short)/)
  t.match(bad, { ok: false, selfTest: { ok: false, reason: bad.reason } })
})
