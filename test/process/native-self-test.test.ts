import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { type SelfTestResult, selfTest } from '#native'
import { ROOT } from '../support/fixture.js'
import { unsupported } from '../support/native.js'

t.test('the self-test passes, and is remembered', unsupported, async (t) => {
  const cache = path.join(t.testdir({}), 'cache')
  t.strictSame(await selfTest({ cache }), { ok: true, cached: false })
  t.strictSame(await selfTest({ cache }), { ok: true, cached: true })
  const [name] = readdirSync(cache)
  t.match(name, /^fork-[0-9a-f]{32}$/)
  t.strictSame(readdirSync(cache).length, 1)
})

t.test('the self-test sees that forked processes hang', unsupported, async (t) => {
  // The addon without what makes it work: V8's threads are Node's own.
  const folder = t.testdir({})
  const binary = path.join(folder, 'mapache.node')
  const { compile } = await import(path.join(ROOT, 'packages/native/install.mjs'))
  compile(binary, ['mapache_without_pool=1'])
  const cache = path.join(folder, 'cache')
  const use = `
    const { selfTest } = await import('#native')
    console.log(JSON.stringify(await selfTest(${JSON.stringify({ cache, timeout: 5_000 })})))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', use], {
    cwd: ROOT,
    env: { ...process.env, MAPACHE_NATIVE_BINARY: binary },
    encoding: 'utf8',
    timeout: 30_000
  })
  const result = JSON.parse(stdout || '{}') as SelfTestResult
  t.equal(result.ok, false, stderr)
  t.match(result, { reason: /^forked processes do not work here: .*(took more than 5000 ms|ended with)/ })
  t.throws(() => readdirSync(cache), { code: 'ENOENT' }, 'a failure is not remembered')
})

t.test('a self-test without time says so, and leaves no process', unsupported, async (t) => {
  const result = await selfTest({ cache: path.join(t.testdir({}), 'cache'), timeout: 1 })
  t.match(result, { ok: false, reason: /took more than 1 ms$/ })
})
