import { spawnSync } from 'node:child_process'
import t from 'tap'
import { ended, said, startNative, unsupported } from '../support/native.js'

// biome-ignore lint/suspicious/noExplicitAny: lines of several kinds
type Line = any
const well = { code: 0, signal: null }

t.test('timers, signals and streams work in a forked process as ever', unsupported, async (t) => {
  const life = startNative(t, 'life.mjs')
  t.strictSame(await ended(life), well)
  const line = (part: string): Line => said<Line>(life).find((it) => it.part === part)

  t.strictSame(new Set(line('timers').seen), new Set(['immediate', 'copied']))
  t.equal(line('timers').ticks, 5)
  t.ok(line('timers').took >= 50, `slept ${line('timers').took} ms`)
  t.match(line('end of timers'), { ...well, seenByParent: [] })

  t.strictSame(line('signals').seen.sort(), ['before SIGUSR2', 'in child SIGTERM'])
  t.match(line('end of signals'), { ...well, seenByParent: ['before SIGUSR2'] })

  // The other stream may come in between.
  t.ok(life.output.includes('on stderr\n'))
  t.ok(life.output.replace('on stderr\n', '').includes(`\nbegin ${'x'.repeat(300_000)} end\n`), 'nothing is cut')
  t.match(line('end of pipe'), well)
  t.equal(line('file').text, 'from the parent\nfrom the child\nfrom the parent again\n')

  t.equal(line('served').body, 'hello')
  t.ok(line('idle').ticks <= 2, `an idle process used ${line('idle').ticks} ticks in a second`)
  t.equal(line('idle').caughtByParent, 1)
  t.strictSame(life.processes(), [])
})

t.test('forks in a row, under load, leave nothing behind in the one that forks', unsupported, async (t) => {
  const mold = startNative(t, 'row.mjs', { args: ['50'] })
  t.strictSame(await ended(mold), well)
  const [{ ends, before, after }] = said<Line>(mold)
  t.equal(ends.length, 50)
  t.strictSame([...new Set(ends)], ['code 0'])
  t.strictSame(after, before, 'as many descriptors and threads as before')
  t.strictSame(mold.processes(), [])
})

const { error: noPrlimit } = spawnSync('prlimit', ['--version'])
const skip = unsupported.skip || (noPrlimit ? 'there is no prlimit' : false)

t.test('a fork that fails is told by an error, and nothing has changed', { skip }, async (t) => {
  const mold = startNative(t, 'failing.mjs')
  const [, pid] = await mold.printed(/"ready":(\d+)/)
  // The script has given up to be root, whom no limit binds; only its like may limit it.
  const like = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  const allow = (processes: string) => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', pid as string, `--nproc=${processes}:`], like)
    t.equal(status, 0, stderr.toString())
  }
  allow('1')
  mold.kill('SIGUSR2')
  await mold.printed(/"failed":"EAGAIN"/)
  allow('10000')
  mold.kill('SIGUSR2')
  t.strictSame(await ended(mold), well)
  t.match(said<Line>(mold).at(-1), { end: { code: 9, signal: null }, descriptors: 0, threads: 0, answer: 42 })
})

t.test('fork says what it needs', unsupported, async (t) => {
  const mold = startNative(t, 'refusing.mjs')
  t.strictSame(await ended(mold), well)
  t.strictSame(said<Line>(mold), [
    { unprepared: 'EINVAL' },
    { watched: 'EBUSY' },
    { inWorker: ['EINVAL', 'EINVAL'] },
    { end: { code: 5, signal: null } }
  ])
})
