import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { AppFolder, type Files, tells } from './dev.js'
import { CLI, isRunning, type Test, until } from './fixture.js'
import { Screen } from './screen.js'

/** `mapache dev` on a terminal, with an app that a test edits. */
export class DevScreen extends Screen {
  readonly files: AppFolder
  readonly #folder: string

  constructor(t: Test, { files = { 'server.mjs': tells(1) }, args = [], links = [], env = {} }: DevScreenOptions = {}) {
    const app = new AppFolder(t, files, links)
    const folder = mkdtempSync(path.join(tmpdir(), 'mp-'))
    const command = [process.execPath, CLI, 'dev', ...args, Object.keys(files)[0]].join(' ')
    super(t, command, { XDG_RUNTIME_DIR: folder, MAPACHE_TEST: folder, PWD: app.root, ...env }, app.root)
    this.files = app
    this.#folder = folder
    t.teardown(() => {
      for (const pid of this.processes()) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // Gone meanwhile.
        }
      }
      rmSync(folder, { recursive: true, force: true })
    })
  }

  /** Of the command and all that it started. */
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

  async ended(): Promise<void> {
    await until(
      () => this.processes().length === 0,
      'the end',
      () => this.output
    )
  }

  /** Files that lie in the folder of the channel. */
  leftovers(): string[] {
    return readdirSync(this.#folder, { recursive: true })
      .map(String)
      .filter((name) => name !== 'mapache')
  }
}

interface DevScreenOptions {
  files?: Files
  args?: readonly string[]
  links?: readonly string[]
  env?: NodeJS.ProcessEnv
}
