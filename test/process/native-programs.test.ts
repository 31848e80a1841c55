import path from 'node:path'
import t from 'tap'
import { isRunning, until } from '../support/fixture.js'
import { ended, said, startNative, unsupported } from '../support/native.js'

// biome-ignore lint/suspicious/noExplicitAny: lines of several kinds
type Line = any

t.test('exec: another program in the same process, with what it shall have and no more', unsupported, async (t) => {
  const folder = t.testdir({ 'kept.txt': 'this is kept', 'other.txt': '' })
  const [kept, other] = ['kept.txt', 'other.txt'].map((name) => path.join(folder, name)) as [string, string]
  const program = startNative(t, 'exec.mjs', { args: [kept, other] })
  t.strictSame(await ended(program), { code: 0, signal: null })
  t.strictSame(said<Line>(program), [
    { was: program.pid },
    {
      became: program.pid,
      args: ['an argument', ''],
      env: { A: 'b', MAPACHE_TEST: program.mark },
      files: [kept],
      text: 'this is kept'
    }
  ])
})

t.test('a watchdog kills what hangs after its supervisor died, and nothing else', unsupported, async (t) => {
  const start = async (way: string) => {
    const supervisor = startNative(t, 'watchdog.mjs', { args: ['supervisor', way] })
    const [, worker] = await supervisor.printed(/"pid":(\d+)/)
    return { supervisor, worker: Number(worker) }
  }
  /** Kills the supervisor, and tells the worker when it is dead. */
  const orphan = async ({ supervisor, worker }: Awaited<ReturnType<typeof start>>) => {
    supervisor.kill('SIGKILL')
    await supervisor.exit()
    process.kill(worker, 'SIGUSR2')
  }
  const [blocked, turning, stopped, idle] = await Promise.all(['blocked', 'turning', 'stopped', 'idle'].map(start))

  await blocked?.supervisor.printed(/spared":"while the supervisor lives/)
  await Promise.all([blocked, turning, stopped].map((it) => it && orphan(it)))
  await until(() => !isRunning(blocked?.worker ?? 0), 'the end of the one that hangs')
  await until(() => !isRunning(turning?.worker ?? 0), 'the end of the one that turns')
  await until(() => !isRunning(stopped?.worker ?? 0), 'the end of the one that is not watched')
  t.match(turning?.supervisor.output, /spared":"as it turns/)
  t.match(stopped?.supervisor.output, /spared":"as it was stopped/)

  await until(() => !isRunning(idle?.worker ?? 0), 'the end of the one that does nothing')
  t.match(idle?.supervisor.output, /spared":"a watchdog keeps/)
  idle?.supervisor.kill('SIGTERM')
  await idle?.supervisor.exit()
})
