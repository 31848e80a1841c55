import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Milliseconds that anything here may take before it counts as a failure. Long, because it is no measurement. */
export const DEADLINE = 30_000

/** The workspace's root. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
export const FIXTURES = path.join(ROOT, 'test/fixtures')
export const CLI = path.join(ROOT, 'packages/cli/dist/main.js')

/** In a fixture's folder: what is meant to outlive the cluster. */
export const STATE = 'state'

/** What of a tap test the fixtures need. */
export interface Test {
  teardown(fn: () => unknown): unknown
  comment(text: string): void
  fail(message: string): unknown
  passing(): boolean
}

export interface FixtureOptions {
  args?: readonly string[]
  /** Arguments for Node, ahead of the script. */
  nodeArgs?: readonly string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  stdio?: 'pipe'
}

/** One line of the supervisor's log. */
export interface LogLine {
  level: number
  msg: string
  err?: { type: string; message: string; stack: string; code?: string }
}

/**
 * A process that a test started, with all that it prints, in a temp folder of its own. At the test's end everything that
 * it started is gone, or the test fails: a mark in the environment tells whose a process is.
 */
export class Fixture {
  readonly child: ChildProcess
  readonly folder: string
  readonly mark: string
  /** All that was printed, both streams. */
  output = ''
  readonly #exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  #changed: (() => void)[] = []

  constructor(t: Test, script: string, options: FixtureOptions = {}) {
    // Short: the channel's socket lies in it, and a socket's path has 103 bytes.
    this.folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
    this.mark = path.basename(this.folder)
    const file = path.isAbsolute(script) ? script : path.join(FIXTURES, script)
    this.child = spawn(process.execPath, [...(options.nodeArgs ?? []), file, ...(options.args ?? [])], {
      cwd: options.cwd ?? FIXTURES,
      env: {
        ...process.env,
        XDG_RUNTIME_DIR: this.folder,
        RUNTIME_DIRECTORY: undefined,
        // Not where programs of this user keep their state.
        XDG_STATE_HOME: path.join(this.folder, STATE),
        STATE_DIRECTORY: undefined,
        MAPACHE_TEST: this.mark,
        ...options.env
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Without the terminal of whoever runs the tests: some signals mean another thing with one.
      detached: true
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
        for (const changed of this.#changed.splice(0)) changed()
      })
    }
    this.#exit = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }))
    void this.#exit.then(() => {
      for (const changed of this.#changed.splice(0)) changed()
    })
    t.teardown(() => this.#end(t))
  }

  get pid(): number {
    return this.child.pid as number
  }

  get exited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** The lines of the log so far; what else was printed is left out. */
  get log(): LogLine[] {
    return this.output.split('\n').flatMap((line) => {
      try {
        const parsed = JSON.parse(line) as LogLine
        return typeof parsed?.msg === 'string' ? [parsed] : []
      } catch {
        return []
      }
    })
  }

  /** Waits for the end of the process that was started. */
  async exit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return before(this.#exit, () => `exit of ${this.pid}\n${this.output}`)
  }

  /**
   * Waits until the output (all of it, from `from` on) matches.
   * @returns the match
   */
  async printed(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const look = async () => {
      for (;;) {
        const match = pattern.exec(this.output.slice(from))
        if (match) return match
        if (this.exited) {
          // What was written before the end may still be on its way.
          await sleep(50)
          const last = pattern.exec(this.output.slice(from))
          if (last) return last
          throw new Error(`ended without printing ${pattern}:\n${this.output}`)
        }
        await new Promise<void>((resolve) => this.#changed.push(resolve))
      }
    }
    return before(look(), () => `${pattern} in:\n${this.output}`)
  }

  /** Waits for the log's line that says where it serves. @returns the addresses as printed, without scheme */
  async serving(): Promise<string[]> {
    const [, addresses = ''] = await this.printed(/"serving on ([^"]*)"/)
    return addresses.split(', ')
  }

  /** The first port that it serves on. */
  async port(): Promise<number> {
    const [first = ''] = await this.serving()
    return Number(/:(\d+)$/.exec(first)?.[1])
  }

  /** The pids of the workers that serve, as the log tells it. */
  get workers(): number[] {
    const pids = new Set<number>()
    for (const { msg } of this.log) {
      const [, pid, what] = /^worker=\d+ gen=\d+ pid=(\d+) (serving|retiring|exited|ended)/.exec(msg) ?? []
      if (what === 'serving') pids.add(Number(pid))
      else if (what) pids.delete(Number(pid))
    }
    return [...pids]
  }

  /** Waits until so many workers serve. @returns their pids */
  async workersServing(count: number): Promise<number[]> {
    await until(
      () => this.workers.length === count,
      `${count} workers serving`,
      () => this.output
    )
    return this.workers
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** All processes that this fixture started and that still run, itself included. */
  processes(): number[] {
    return processesMarked(this.mark)
  }

  /** Waits until nothing runs any more. */
  async gone(): Promise<void> {
    await until(
      () => this.processes().length === 0,
      'all processes gone',
      () => this.output
    )
  }

  /** Files that lie in the folder of the channel, relative. */
  leftovers(): string[] {
    return readdirSync(this.folder, { recursive: true })
      .map(String)
      .filter((name) => name !== 'mapache' && name.split('/', 1)[0] !== STATE)
  }

  async #end(t: Test): Promise<void> {
    const left = this.processes()
    if (!this.exited) {
      process.kill(this.pid, 'SIGTERM')
      await Promise.race([this.#exit, sleep(5_000)])
    } else if (left.length > 0) {
      await Promise.race([
        until(
          () => this.processes().length === 0,
          'leaving',
          () => ''
        ),
        sleep(5_000)
      ]).catch(() => {})
    }
    const rest = this.processes()
    const described = rest.map((pid) => `${pid} (${commandOf(pid)})`)
    for (const pid of rest) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone meanwhile.
      }
    }
    if (rest.length > 0) {
      // Printed as well: the test itself has ended by then, and its name is not told.
      console.error(`${this.child.spawnargs.join(' ')} left running ${described.join(', ')}:\n${this.output}`)
      t.fail(`left running: ${described.join(', ')}`)
    }
    if (!t.passing()) t.comment(`output of ${this.child.spawnargs.join(' ')}:\n${this.output}`)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Starts a fixture: a script of test/fixtures, or an absolute path. */
export function start(t: Test, script: string, options?: FixtureOptions): Fixture {
  return new Fixture(t, script, options)
}

/** Starts `mapache start` with the arguments. */
export function startCli(t: Test, args: readonly string[], options: FixtureOptions = {}): Fixture {
  return new Fixture(t, CLI, { ...options, args: ['start', ...args] })
}

/** Looks until it is true, every few milliseconds. */
export async function until(test: () => unknown, what: string, detail: () => string = () => ''): Promise<void> {
  const deadline = performance.now() + DEADLINE
  while (!(await test())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}\n${detail()}`)
    await sleep(10)
  }
}

/** Waits until a process has used the CPU for a third of a second more than by now. Where there is no /proc, not at all. */
export async function busy(pid: number): Promise<void> {
  if (process.platform !== 'linux') return
  const before = ticksOf(pid)
  await until(() => ticksOf(pid) > before + 30, `process ${pid} at work`)
}

/** CPU time of a process, in hundredths of a second. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  return Number(fields[11])
}

/** Waits for a promise, but not for ever. */
export async function before<Value>(promise: Promise<Value>, what: () => string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long for ${what()}`)), DEADLINE)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export interface Answer {
  status: number
  body: string
  headers: http.IncomingHttpHeaders
}

/** One GET request on a connection of its own. */
export async function get(options: number | http.RequestOptions, at = '/'): Promise<Answer> {
  const request =
    typeof options === 'number' ? { port: options, host: '127.0.0.1', path: at } : { path: at, ...options }
  return before(
    new Promise<Answer>((resolve, reject) => {
      const { get: send } = 'protocol' in request && request.protocol === 'https:' ? https : http
      send({ agent: false, rejectUnauthorized: false, ...request } as https.RequestOptions, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
        response.on('error', reject)
      }).on('error', reject)
    }),
    () => `the answer of ${JSON.stringify(request)}`
  )
}

/** Whether a process runs (one that ended and waits for its parent does not). */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
  } catch {
    return 'gone meanwhile'
  }
}

function processesMarked(mark: string): number[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      const marked = readFileSync(`/proc/${name}/environ`, 'latin1').includes(`MAPACHE_TEST=${mark}\0`)
      return marked && isRunning(Number(name)) ? [Number(name)] : []
    } catch {
      return []
    }
  })
}
