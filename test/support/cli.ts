import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import headless from '@xterm/headless'
import { AppFolder } from './dev.js'
import { CLI, DEADLINE, type Fixture, type FixtureOptions, startCli, type Test, until } from './fixture.js'
import { Screen } from './screen.js'

/** What a command printed, and how it ended. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** The environment in which commands find the clusters of one folder, and no other. */
export function seeing(folder: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = { XDG_RUNTIME_DIR: folder, RUNTIME_DIRECTORY: undefined, TMPDIR: folder }
  return { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, ...own, ...more }
}

/** A command that runs, without a terminal. */
export class Running {
  stdout = ''
  stderr = ''
  readonly pid: number
  readonly ended: Promise<Ended>

  constructor(t: Test, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string) {
    const child = spawn(process.execPath, [CLI, ...args], {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: DEADLINE
    })
    this.pid = child.pid as number
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(child, 'close').then(([code, signal]) => {
      return { code, signal, stdout: this.stdout, stderr: this.stderr }
    })
    t.teardown(() => child.kill('SIGKILL'))
  }

  /** Waits until it has printed what matches. */
  async printed(pattern: RegExp): Promise<void> {
    await until(
      () => pattern.test(this.stdout),
      String(pattern),
      () => `${this.stdout}\n${this.stderr}`
    )
  }
}

/** A cluster of an app in a folder of its own, which a test edits and commands operate. */
export class Shop {
  readonly app: AppFolder
  readonly fixture: Fixture
  readonly #t: Test

  /** @param args of `mapache start`, ahead of the entry @param options its environment decides who sees it */
  constructor(t: Test, text: string, args: readonly string[] = [], options: FixtureOptions = {}) {
    this.#t = t
    this.app = new AppFolder(t, { 'server.mjs': text })
    const flags = ['-w', '2', '--settle', '50', ...args]
    this.fixture = startCli(t, [...flags, this.app.path('server.mjs')], options)
  }

  get env(): NodeJS.ProcessEnv {
    return seeing(this.fixture.folder)
  }

  /** Begins a command that sees this cluster. */
  begin(...args: string[]): Running {
    return new Running(this.#t, args, this.env)
  }

  /** Runs a command that sees this cluster to its end. */
  run(...args: string[]): Promise<Ended> {
    return this.begin(...args).ended
  }

  /** A command on a terminal that sees this cluster. */
  screen(args: readonly string[], size?: { columns: number; rows: number }): CliScreen {
    return new CliScreen(this.#t, [process.execPath, CLI, ...args].join(' '), this.env, size)
  }
}

/** A command on a terminal of a size, as it is seen. */
export class CliScreen extends Screen {
  readonly #terminal: headless.Terminal
  #written = Promise.resolve()

  constructor(t: Test, command: string, env: NodeJS.ProcessEnv, { columns, rows } = { columns: 80, rows: 24 }) {
    // Ctrl-C goes to the shell too, and some end of it at once: it is to stay and tell how the command ended.
    super(t, `trap : INT; stty rows ${rows} cols ${columns}; ${command}; echo "ended with $?"; stty -a`, env)
    this.#terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
    this.child.stdout?.on('data', (text: string) => {
      this.#written = new Promise((resolve) => this.#terminal.write(text, resolve))
    })
  }

  /** The lines that are seen now. */
  async lines(): Promise<string[]> {
    await this.#written
    const { active } = this.#terminal.buffer
    return Array.from({ length: this.#terminal.rows }, (_, index) => {
      return active.getLine(active.viewportY + index)?.translateToString(true) ?? ''
    })
  }

  /** Whether a program has taken the whole screen, which is given back when it ends. */
  get whole(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  /** Whether the cursor is shown. */
  get cursor(): boolean {
    return this.output.lastIndexOf('\x1b[?25h') >= this.output.lastIndexOf('\x1b[?25l')
  }

  /** Waits until what is seen now matches. */
  async seen(pattern: RegExp): Promise<void> {
    let text = ''
    await until(
      async () => {
        text = (await this.lines()).join('\n')
        return pattern.test(text)
      },
      String(pattern),
      () => text
    )
  }

  /** Makes the terminal as large as that. */
  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
    // The terminal is that of its children; its own input is a pipe.
    const tty = readlinkSync(`/proc/${this.command}/fd/0`)
    execFileSync('stty', ['-F', tty, 'rows', String(rows), 'cols', String(columns)])
  }

  /** The pid of the command itself. */
  get command(): number {
    const pid = descendants(this.child.pid as number).find((one) => argumentsOf(one)[0] === process.execPath)
    if (pid === undefined) throw new Error(`no command runs: ${this.output}`)
    return pid
  }
}

function descendants(of: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === of)
  return children.flatMap((name) => [Number(name), ...descendants(Number(name))])
}

function parentOf(pid: string): number | undefined {
  try {
    const fields = readFileSync(path.join('/proc', pid, 'stat'), 'latin1').replace(/^.*\) /s, '')
    return Number(fields.split(' ')[1])
  } catch {
    return undefined
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
  } catch {
    return []
  }
}
