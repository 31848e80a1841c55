import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { FIXTURES, isRunning, type Test, until } from '../support/fixture.js'

const works = (command: string, args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0
const noScript = works('script', ['-qec', 'true', '/dev/null']) ? false : 'script (util-linux) makes the terminal'
const noNamespace = works('unshare', ['--fork', '--pid', '--mount-proc', 'true'])
  ? false
  : 'a PID namespace is not permitted here'

/** A program with all its descendants, found again by a mark in their environment. */
class Session {
  output = ''
  readonly child: ChildProcess
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'mp-'))

  constructor(t: Test, command: string, args: string[]) {
    this.child = spawn(command, args, {
      cwd: FIXTURES,
      env: { ...process.env, XDG_RUNTIME_DIR: this.#folder, MAPACHE_TEST: this.#folder },
      detached: true
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    t.teardown(() => {
      for (const pid of this.processes()) process.kill(pid, 'SIGKILL')
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  processes(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      try {
        const marked = /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(this.#folder)
        return marked && isRunning(Number(name)) ? [Number(name)] : []
      } catch {
        return []
      }
    })
  }

  printed(pattern: RegExp): Promise<void> {
    return until(
      () => pattern.test(this.output),
      String(pattern),
      () => this.output
    )
  }

  get supervisor(): number {
    return Number(/supervisor pid=(\d+)/.exec(this.output)?.[1])
  }
}

const terminal = (t: Test, command = `${process.execPath} life.mjs`) => {
  return new Session(t, 'script', ['-qfec', command, '/dev/null'])
}

t.test('Ctrl-C at the terminal stops gracefully', { skip: noScript }, async (t) => {
  const session = terminal(t)
  await session.printed(/serving on/)
  t.match(session.output, /^\d\d:\d\d:\d\d info {2}mapache supervisor/m, 'a terminal gets plain lines')
  session.child.stdin?.write('\x03')
  await session.printed(/stopping: finishing[\s\S]*stopped/)
  await until(
    () => session.processes().length === 0,
    'the end',
    () => session.output
  )
})

t.test('SIGHUP reloads while the terminal lives, and stops when it has hung up', { skip: noScript }, async (t) => {
  const session = terminal(t)
  await session.printed(/serving on/)
  process.kill(session.supervisor, 'SIGHUP')
  await session.printed(/reloaded: gen=2 serves/)
  session.child.kill('SIGKILL')
  await until(
    () => session.processes().length === 0,
    'the end',
    () => session.output
  )
  t.pass()
})

t.test('started with nohup it outlives its terminal', { skip: noScript }, async (t) => {
  const log = path.join(t.testdir(), 'log')
  const session = terminal(t, `nohup ${process.execPath} life.mjs > ${log} 2>&1`)
  const logged = (pattern: RegExp) => {
    const read = () => (existsSync(log) ? readFileSync(log, 'utf8') : '')
    return until(() => pattern.test(read()), String(pattern), read)
  }
  await logged(/serving on/)
  const supervisor = Number(/supervisor pid=(\d+)/.exec(readFileSync(log, 'utf8'))?.[1])
  session.child.kill('SIGKILL')
  await logged(/the terminal hung up; .* goes on/)
  process.kill(supervisor, 'SIGHUP')
  await logged(/reloaded: gen=2 serves/)
  process.kill(supervisor, 'SIGTERM')
  await until(() => session.processes().length === 0, 'the end')
  t.pass()
})

t.test('as PID 1 it says what --init is for, and stops on SIGTERM', { skip: noNamespace }, async (t) => {
  const session = new Session(t, 'unshare', [
    '--fork',
    '--pid',
    '--mount-proc',
    '--kill-child',
    process.execPath,
    'life.mjs'
  ])
  await session.printed(/serving on/)
  t.match(session.output, /running as PID 1.*--init/)
  const leader = readFileSync(`/proc/${session.child.pid}/task/${session.child.pid}/children`, 'utf8')
  process.kill(Number(leader), 'SIGTERM')
  await session.printed(/"stopped"/)
  await until(
    () => session.processes().length === 0,
    'the end',
    () => session.output
  )
})
