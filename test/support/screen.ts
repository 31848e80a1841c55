import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { FIXTURES, type Test, until } from './fixture.js'

const works = (command: string, args: string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0

/** For the options of a test: why there is no terminal, if there is none. */
export const noScreen = works('script', ['-qec', 'true', '/dev/null'])
  ? false
  : 'script (util-linux) makes the terminal'
export const noBash = noScreen || (works('bash', ['-c', 'true']) ? false : 'bash makes the jobs')

/** A command on a terminal of its own. */
export class Screen {
  output = ''
  readonly child: ChildProcess

  constructor(t: Test, command: string, env: NodeJS.ProcessEnv = {}, cwd = FIXTURES) {
    const options = { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, detached: true }
    this.child = spawn('script', ['-qfec', command, '/dev/null'], options)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    // The terminal hangs up with it, and who is left on it gets SIGHUP.
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  type(text: string): void {
    this.child.stdin?.write(text)
  }

  shows(pattern: RegExp, from = 0): Promise<void> {
    return until(
      () => pattern.test(this.output.slice(from)),
      String(pattern),
      () => this.output
    )
  }
}
