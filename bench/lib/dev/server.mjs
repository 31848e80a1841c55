import { spawn } from 'node:child_process'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { freePort, markEnvironment } from '../server.mjs'

/** One app under one of the tools of tools.mjs. */
export class DevServer {
  #child
  #log = ''

  /**
   * Starts it and waits for its first answer.
   * @param {{ name: string, args: string[] }} tool the arguments of Node
   * @param {{ folder: string, edit: (version: string) => void }} copy of the app
   * @param {{ node?: string, deadline?: number }} [how] `deadline` ms for the first answer
   */
  static async start(tool, copy, { node = process.execPath, deadline = 60_000 } = {}) {
    const server = new DevServer()
    server.tool = tool
    server.copy = copy
    server.port = await freePort()
    server.#spawn(node)
    const until = performance.now() + deadline
    while (!(await server.#answers())) {
      if (server.ended) throw new Error(`it has ended: ${server.complaint()}`)
      if (performance.now() > until) {
        await server.stop()
        throw new Error(`no answer within ${deadline} ms: ${server.complaint()}`)
      }
      await sleep(50)
    }
    return server
  }

  get pid() {
    return this.#child.pid
  }

  get ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** What it has printed, the end of it. */
  get log() {
    return stripVTControlCharacters(this.#log)
  }

  /** What it says is wrong: its last line that names an error, else its last. */
  complaint() {
    const lines = this.log.trim().split('\n')
    const named = lines.findLast((line) => /\w*Error: |^mapache: /.test(line))
    return (named ?? lines.at(-1)).trim() || 'it has said nothing'
  }

  /** Ends it, by force `grace` ms later. What leaves its process group is left to killAll(). */
  async stop(grace = 5_000) {
    if (this.ended) return
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), grace)
    await ended
    clearTimeout(timer)
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // Nothing of its group is left.
    }
  }

  #spawn(node) {
    const { NODE_ENV: _, ...environment } = process.env
    this.#child = spawn(node, this.tool.args, {
      cwd: this.copy.folder,
      env: { ...environment, ...markEnvironment(), PORT: `${this.port}` },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#log = (this.#log + text).slice(-20_000)
      })
    }
  }

  #answers() {
    return new Promise((resolve) => {
      http
        .get({ port: this.port, host: '127.0.0.1', path: '/version', agent: false, timeout: 10_000 }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode === 200))
        })
        .on('timeout', (request) => request?.destroy())
        .on('error', () => resolve(false))
    })
  }
}
