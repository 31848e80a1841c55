import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isRunning, startedWith } from './proc.mjs'

// Every process below one of ours carries it in its environment, also those that leave our process group.
const MARK = `MAPACHE_BENCH_RUN=${randomUUID()}`
const running = new Set()

/** The URL of an app's module, by its name in apps/. */
export function app(name) {
  return new URL(`../apps/${name}.mjs`, import.meta.url).href
}

/** A port that was free a moment ago. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** What a process must find in its environment so that killAll() ends it, too. */
export function markEnvironment() {
  const [name, value] = MARK.split('=')
  return { [name]: value }
}

/** The processes of this run, by their mark. Linux only. */
export function startedByUs() {
  return startedWith(MARK)
}

/** One server process of servers/, driven over its stdin and stdout (see servers/control.mjs). */
export class Server {
  #child
  #next = 1
  #waiting = new Map()
  #ready
  #deadline
  #log = ''

  /**
   * Starts `servers/<name>.mjs` and waits until it is ready.
   * @param {string} name
   * @param {Partial<import('../servers/control.mjs').Task>} [task] the port is chosen if it is not given
   * @param {{ deadline?: number, cpus?: string }} [how] `deadline` ms after which it is killed with all below it (120 000);
   *   `cpus` pins it and its workers to these CPUs
   */
  static async start(name, task = {}, { deadline = 120_000, cpus } = {}) {
    const port = task.port ?? (await freePort())
    const server = new Server(name, { ...task, port }, deadline, cpus)
    await server.#ready
    return server
  }

  constructor(name, task, deadline, cpus) {
    this.name = name
    this.port = task.port
    const script = fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url))
    const command = [
      ...(cpus === undefined ? [] : ['taskset', '-c', cpus]),
      process.execPath,
      script,
      JSON.stringify(task)
    ]
    const started = performance.now()
    this.#child = spawn(command[0], command.slice(1), {
      // A group of its own: it ends as a whole, and a Ctrl-C reaches the benchmark alone.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...markEnvironment(), NODE_ENV: 'production' }
    })
    running.add(this)
    this.#deadline = setTimeout(() => this.#give(`was not done within ${deadline} ms`), deadline)
    this.#child.stderr.on('data', (text) => this.#keep(text))
    // Workers may have inherited our pipe and outlive a killed supervisor: its own exit is what counts.
    this.#child.once('exit', (code, signal) => this.#give(`exited with ${signal ?? code}`))
    this.#child.stdin.on('error', () => {})
    this.#ready = new Promise((resolve, reject) => {
      this.#waiting.set('ready', { resolve, reject })
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line, started))
  }

  get pid() {
    return this.#child.pid
  }

  /** @returns {Promise<{ pid: number, state?: string }[]>} */
  workers() {
    return this.#ask('workers')
  }

  /** Reloads; resolves to the time that took, in ms. */
  async reload() {
    const before = performance.now()
    await this.#ask('reload')
    return performance.now() - before
  }

  /** Stops gracefully; what is still there `grace` ms later is killed. */
  async stop(grace = 15_000) {
    if (!running.has(this)) return
    const left = once(this.#child, 'exit')
    const stopped = this.#ask('stop').then(() => left)
    await Promise.race([stopped.catch(() => {}), sleep(grace, undefined, { ref: false })])
    this.kill()
  }

  kill() {
    running.delete(this)
    clearTimeout(this.#deadline)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    try {
      process.kill(-this.#child.pid, 'SIGKILL')
    } catch {
      // It went between the question and the signal.
    }
  }

  #ask(name) {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.stdin.write(`${JSON.stringify({ id, do: name })}\n`)
    })
  }

  #hear(line, started) {
    const message = parse(line)
    if (message?.ready === true) {
      /** Time from the start of the process until it answered requests, in ms. */
      this.bootTime = performance.now() - started
      return this.#answer('ready', message)
    }
    if (message?.bench !== undefined) return this.#answer(message.bench, message)
    this.#keep(`${line}\n`)
  }

  #answer(id, { error, result }) {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(`${this.name}: ${error}`))
  }

  #give(reason) {
    for (const { reject } of this.#waiting.values()) reject(new Error(`${this.name} ${reason}\n${this.#log}`))
    this.#waiting.clear()
    this.kill()
  }

  #keep(text) {
    this.#log = (this.#log + text).slice(-4000)
  }
}

/**
 * Kills every process that this run has started and that is still there after `grace` ms. Resolves to how many that were: each
 * is one that a graceful stop has left behind.
 */
export async function killAll(grace = 0) {
  for (const server of running) server.kill()
  const until = performance.now() + grace
  let left = startedWith(MARK)
  while (left.length > 0 && performance.now() < until) {
    await sleep(50)
    left = left.filter(isRunning)
  }
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It went by itself.
    }
  }
  for (let tries = 0; tries < 50 && left.some(isRunning); tries++) await sleep(20)
  return left.length
}

function parse(line) {
  try {
    const message = JSON.parse(line)
    return typeof message === 'object' ? message : undefined
  } catch {
    return undefined
  }
}
