import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { memory } from './proc.mjs'
import { freePort, markEnvironment } from './server.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = path.join(root, 'bench/molds-app')

/** Installs what the app depends on, once. It is no part of the workspace, so that nobody else waits for it. */
export function installApp(print) {
  if (!existsSync(path.join(folder, 'node_modules/fastify'))) {
    print('installing the app of bench/molds-app …')
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock']
    const { status, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: 300_000 })
    if (status !== 0) throw new Error(`npm install in bench/molds-app failed:\n${stderr}`)
  }
  const scope = path.join(folder, 'node_modules/@mapache')
  mkdirSync(scope, { recursive: true })
  for (const name of ['core', 'fastify', 'native']) {
    const link = path.join(scope, name)
    if (!existsSync(link)) symlinkSync(path.join(root, 'packages', name), link)
  }
}

/** One cluster of the app. */
export class MoldsServer {
  events = []
  #child
  #changed = () => {}

  /** @param {object} options of Mapache */
  static async start(options) {
    const server = new MoldsServer()
    server.port = await freePort()
    const args = [path.join(folder, 'main.mjs'), JSON.stringify({ ...options, port: server.port })]
    server.#child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, ...markEnvironment() },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true
    })
    createInterface({ input: server.#child.stdout }).on('line', (line) => {
      server.events.push(JSON.parse(line))
      server.#changed()
    })
    server.#child.once('exit', () => server.#changed())
    await server.until(() => server.named('worker:serving').length >= options.workers)
    return server
  }

  get pid() {
    return this.#child.pid
  }

  get url() {
    return `http://127.0.0.1:${this.port}/`
  }

  named(event) {
    return this.events.filter((one) => one.event === event)
  }

  /** Waits until what is said so far satisfies it. */
  async until(test, deadline = 120_000) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadline)
    while (!test()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('the server has ended')
      await new Promise((resolve) => {
        this.#changed = resolve
      })
    }
    clearTimeout(timer)
  }

  /** Milliseconds from the launch of each worker until it served. */
  boots() {
    return this.named('worker:serving').map(
      ({ id, at }) => at - this.named('worker:launch').find((one) => one.id === id).at
    )
  }

  /** @returns milliseconds */
  async roll(signal) {
    const before = this.named('reload:done').length
    process.kill(this.pid, signal)
    await this.until(() => this.named('reload:done').length > before || this.named('reload:failed').length > 0)
    const [failed] = this.named('reload:failed')
    if (failed) throw new Error(`the roll failed: ${failed.error?.message ?? failed.phase}`)
    return this.named('reload:done').at(-1).duration
  }

  /** Proportional share of memory of all processes, in MB, and of the supervisor alone. */
  pss() {
    const children = readdirSync(`/proc/${this.pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${this.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean)
    )
    const shares = [this.pid, ...children.map(Number)].map((pid) => memory(pid).pss)
    return { supervisor: shares[0], processes: shares.slice(1), all: shares.reduce((sum, one) => sum + one, 0) }
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    process.kill(this.pid, 'SIGTERM')
    await ended
  }
}
