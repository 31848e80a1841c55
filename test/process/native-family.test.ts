import { readFileSync } from 'node:fs'
import t from 'tap'
import { isRunning, until } from '../support/fixture.js'
import { said, startNative, unsupported } from '../support/native.js'

// biome-ignore lint/suspicious/noExplicitAny: lines of several kinds
type Line = any

t.test('a forked process is its own, and a child of the subreaper', unsupported, async (t) => {
  const family = startNative(t, 'family.mjs')
  await family.printed(/"who":"worker"/)
  await family.printed(/"who":"mold"/)
  const line = (who: string): Line => said<Line>(family).find((it) => it.who === who)
  const [supervisor, mold, worker] = [line('supervisor'), line('mold'), line('worker')]
  t.equal(mold.forked, worker.pid)
  t.equal(worker.realPid, worker.pid)
  t.equal(worker.importedPid, worker.pid, 'also for who imported it by name, before')
  t.equal(worker.ppid, supervisor.pid)
  t.equal(worker.session, worker.pid, 'leads a session')
  t.equal(worker.group, worker.pid)
  t.not(mold.own.session, worker.pid)
  const { uptime } = mold.own
  t.ok(worker.uptime < uptime && worker.importedUptime < uptime, `its uptime begins with it: ${worker.uptime}`)
  t.equal(worker.title, 'forked')
  t.match(readFileSync(`/proc/${worker.pid}/cmdline`, 'latin1'), /^forked/)
  t.notMatch(readFileSync(`/proc/${mold.own.pid}/cmdline`, 'latin1'), /^forked/)
  t.equal(supervisor.stranger, 'ECHILD', 'reap: not a child')

  t.test('and outlives the one that it was forked from', async (t) => {
    process.kill(mold.own.pid, 'SIGKILL')
    await until(() => !isRunning(mold.own.pid), 'the end of the mold')
    process.kill(worker.pid, 'SIGUSR2')
    await family.printed(/"who":"worker again"/)
    t.equal(line('worker again').ppid, supervisor.pid)
    process.kill(worker.pid, 'SIGTERM')
    await family.printed(/"who":"reaper"/)
    t.match(line('reaper'), { pid: worker.pid, first: 'running', end: { code: 7, signal: null }, again: 'ECHILD' })
    await family.gone()
    await family.exit()
  })
})

t.test('SIGUSR1 opens the inspector in a forked process', unsupported, async (t) => {
  const family = startNative(t, 'family.mjs', { nodeArgs: ['--inspect-port=0'] })
  await family.printed(/"who":"worker"/)
  const { pid } = said<Line>(family).find((it) => it.who === 'worker')
  process.kill(pid, 'SIGUSR1')
  await family.printed(/Debugger listening on ws:/)
  process.kill(pid, 'SIGTERM')
  await family.printed(/"who":"reaper"/)
  t.match(said<Line>(family).at(-1), { end: { code: 7 } })
  await family.gone()
  await family.exit()
})
