import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { put } from '../support/deploy.js'
import { type Fixture, start, type Test, until } from '../support/fixture.js'

t.jobs = 2

type Folder = Test & { testdir(): string; testdirName: string }

/** Starts a cluster of a name, whose set-up waits until the test has put a file, or works for a while. */
function cluster(t: Folder, name: string, does: string): Fixture {
  const entry = put(
    path.join(t.testdirName, 'app.mjs'),
    `import { existsSync } from 'node:fs'
    import { mapacheHttp } from '@mapache/core'
    await mapacheHttp(() => (req, res) => res.end('app'), {
      workers: 1, name: '${name}',
      setup: async ({ generation, signal }) => {
        console.log('begins', generation, process.pid)
        ${does}
        console.log('ends', generation, process.pid)
      }
    }).listen(0, '127.0.0.1')`
  )
  return start(t, entry, { cwd: t.testdirName })
}

const untilReleased = (file: string) =>
  `while (!existsSync(${JSON.stringify(file)}) && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5))`

t.test('of two clusters of one name the second waits for the setup of the first, and says so', async (t) => {
  const file = path.join(t.testdir(), 'released')
  const name = `lock-${process.pid}-two`
  const first = cluster(t, name, untilReleased(file))
  const [, pid] = await first.printed(/begins 1 (\d+)/)
  const second = cluster(t, name, untilReleased(file))
  await second.printed(new RegExp(`setup gen=1 pid=\\d+: waiting for the setup of ${name}, pid ${pid}, since \\d+ s`))
  t.notMatch(second.output, /begins/)
  put(file, '')
  await first.workersServing(1)
  await second.workersServing(1)
  t.equal(second.output.split('waiting for').length, 2, 'once')
})

t.test('the lock is taken over when its owner is killed in the middle', async (t) => {
  const file = path.join(t.testdir(), 'released')
  const name = `lock-${process.pid}-dead`
  const first = cluster(t, name, untilReleased(file))
  const [, pid] = await first.printed(/begins 1 (\d+)/)
  const second = cluster(t, name, untilReleased(file))
  await second.printed(/waiting for the setup/)
  process.kill(Number(pid), 'SIGKILL')
  await second.printed(/begins 1 \d+/)
  t.strictSame(await first.exit(), { code: 1, signal: null })
  // Whole clusters die, too: supervisor and task at once.
  const [, other] = await second.printed(/begins 1 (\d+)/)
  process.kill(second.pid, 'SIGKILL')
  process.kill(Number(other), 'SIGKILL')
  put(file, '')
  const third = cluster(t, name, untilReleased(file))
  await third.workersServing(1)
  third.kill('SIGTERM')
  await third.exit()
  const uid = process.getuid?.() ?? 0
  t.notOk(existsSync(path.join(tmpdir(), `mapache-${uid}/locks/${name}.setup`)), 'nothing is left of it')
})

t.test('one that waits is ended by a stop', async (t) => {
  const file = path.join(t.testdir(), 'released')
  const name = `lock-${process.pid}-stop`
  const first = cluster(t, name, untilReleased(file))
  await first.printed(/begins 1/)
  const second = cluster(t, name, '')
  await second.printed(/waiting for the setup/)
  second.kill('SIGTERM')
  await second.exit()
  t.notMatch(second.output, /begins 1|SETUP_FAILED/)
  t.strictSame(second.processes(), [])
  put(file, '')
  await first.workersServing(1)
})

t.test('many processes that die anywhere: never two have it', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mp-lock-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  let killed = 0
  let had = 0
  const wrong: string[] = []
  const runOne = async (seed: number) => {
    const fixture = start(t, 'setup-lock.mjs', { args: [folder, String(seed)] })
    const { signal } = await fixture.exit()
    if (signal === 'SIGKILL') killed += 1
    had += fixture.output.split('had\n').length - 1
    wrong.push(...(fixture.output.match(/two have it.*|.*Error.*/g) ?? []))
  }
  let next = 1
  const lane = async () => {
    while (next <= 20) {
      const seed = next
      next += 1
      await runOne(seed)
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  t.strictSame(wrong, [])
  t.ok(killed >= 5 && had >= 40, `${killed} were killed, ${had} takings`)
  const fixture = start(t, 'setup-lock.mjs', { args: [folder, '77777'] })
  await until(
    () => /had/.test(fixture.output),
    'the lock to be had again',
    () => readdirSync(folder, { recursive: true }).join()
  )
})
