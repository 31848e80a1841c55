import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Cluster, MapacheError } from '@mapache/core'
import { generate } from 'selfsigned'
import { type KeyPair, ownKeyPair } from '#shell/certificate.js'
import { parseCredential } from '#shell/credential.js'
import { type ServeOptions, type ShellServer, serveShell } from '#shell/server/server.js'
import { put } from './deploy.js'
import { before, ROOT, type Test, until } from './fixture.js'

export const PASSWORD = 'open sesame'

/** For the options of a test: why there is no second client, if there is none. */
export const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is the second client'

/** A cluster that does nothing but tell what it was asked to do. */
export class FakeCluster extends EventEmitter {
  readonly role = 'service'
  generation = 1
  readonly workers = []
  readonly addresses = []
  readonly asked: unknown[][] = []
  target = 2
  waiting = 0
  /** What the next reload does. */
  reloads: () => Promise<void> = async () => {}
  lines = [{ time: 1_000, level: 'info' as const, message: 'an old line' }]

  async status() {
    const { generation, target, waiting } = this
    const vitals = { requests: 7, inFlight: 1, connections: 2, utilisation: 0.25, rss: 50 << 20 }
    const one = { id: 1, role: 'worker', name: '', generation, pid: 4711, state: 'serving', age: 61_000, vitals }
    return { name: 'fake', generation, target, serving: target - waiting, waiting, processes: [one], crashes: [] }
  }

  async reload(...options: unknown[]) {
    this.asked.push(['reload', ...options])
    this.emit('reload:start', { generation: this.generation + 1, kind: 'reload' })
    this.emit('worker:launch', { id: 3 })
    await this.reloads()
    this.emit('worker:serving', { id: 3 })
    this.generation += 1
    return { generation: this.generation, duration: 12.4 }
  }

  async revive() {
    this.asked.push(['revive'])
    const { waiting } = this
    this.waiting = 0
    return waiting
  }

  async scale(workers: number) {
    this.asked.push(['scale', workers])
    this.target = workers
  }

  async recycle(id: number) {
    if (id !== 1) throw new MapacheError('MAPACHE_OPTION_INVALID', `there is no process ${id}`)
    this.asked.push(['recycle', id])
  }

  async rollback(): Promise<never> {
    throw new MapacheError('MAPACHE_ROLLBACK_UNAVAILABLE', 'there is no generation to roll back to')
  }

  async tail(count: number) {
    return this.lines.slice(-count)
  }
}

/** A shell in the test's own process. */
export interface Served {
  shell: ShellServer
  port: number
  cluster: FakeCluster
  log: string[]
  pair: KeyPair
}

let pair: Promise<KeyPair> | undefined
/** Of the kind that is quickly checked: most tests are not about it. */
const quick = parseCredential(createHash('sha512').update(PASSWORD).digest())

/** Serves a shell in this process, with a fake cluster behind it. */
export async function serve(
  t: Test & { testdir(): string },
  { port = 0, ...options }: Partial<ServeOptions> & { port?: number } = {}
): Promise<Served> {
  pair ??= ownKeyPair(t.testdir())
  const cluster = new FakeCluster()
  const log: string[] = []
  const shell = await serveShell({
    cluster: cluster as unknown as Cluster,
    tls: await pair,
    credential: quick,
    log: (level, text) => log.push(`${level} ${text}`),
    ...options
  })
  shell.server.listen(port, '127.0.0.1')
  await once(shell.server, 'listening')
  t.teardown(() => shell.retire())
  return { shell, port: (shell.server.address() as AddressInfo).port, cluster, log, pair: await pair }
}

/** A plain client over TLS, as a test types at it. */
export class Line {
  readonly socket: TLSSocket
  output = ''
  closed = false
  #read = 0

  constructor(t: Test, port: number, options: ConnectionOptions = {}) {
    this.socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('error', () => {})
    t.teardown(() => this.socket.destroy())
  }

  type(line: string): void {
    this.socket.write(`${line}\n`)
  }

  /** Waits for something that was not waited for before. @returns all up to its end */
  async shows(pattern: RegExp): Promise<string> {
    const found = () => pattern.exec(this.output.slice(this.#read))
    await until(
      () => found() || this.closed,
      String(pattern),
      () => this.output
    )
    const match = found()
    if (!match) throw new Error(`closed without ${pattern}:\n${this.output}`)
    const end = this.#read + match.index + match[0].length
    const text = this.output.slice(this.#read, end)
    this.#read = end
    return text
  }

  async end(): Promise<void> {
    await until(
      () => this.closed,
      'the end of the connection',
      () => this.output
    )
  }

  async login(password = PASSWORD): Promise<void> {
    await this.shows(/^password: $/)
    this.type(password)
    await this.shows(/\n> $/)
  }

  /** Types a command. @returns what it shows, without the prompt */
  async command(line: string): Promise<string> {
    this.type(line)
    return (await this.shows(/(^|\n)> $/)).replace(/> $/, '')
  }
}

/** Someone who has logged in. */
export async function loggedIn(t: Test, port: number): Promise<Line> {
  const line = new Line(t, port)
  await line.login()
  return line
}

/** `openssl s_client`, fed with the lines. @returns what it shows */
export async function openssl(t: Test, port: number, input: string): Promise<string> {
  const child: ChildProcess = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet'], {
    stdio: ['pipe', 'pipe', 'ignore']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stdin?.write(input)
  await once(child, 'close')
  return output
}

/** Someone who signs certificates, and a certificate that was signed. */
export async function certificates(): Promise<{ ca: string; signed: KeyPair }> {
  const options = { keyType: 'ec', algorithm: 'sha256' } as const
  const ca = await generate([{ name: 'commonName', value: 'test ca' }], {
    ...options,
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }]
  })
  const signed = await generate([{ name: 'commonName', value: 'alice' }], {
    ...options,
    ca: { key: ca.private, cert: ca.cert }
  })
  return { ca: ca.cert, signed: { cert: signed.cert, key: signed.private } }
}

/** `mapache shell` with pipes for its streams. */
export class ShellClient {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''

  constructor(t: Test, args: readonly string[], state: string, env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, '--', ...args], {
      cwd: ROOT,
      env: { ...process.env, XDG_STATE_HOME: state, MAPACHE_SHELL_PASSWORD: PASSWORD, ...env },
      stdio: 'pipe',
      // Without the terminal of whoever runs the tests, at which it would ask.
      detached: true
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    t.teardown(() => this.child.kill('SIGKILL'))
  }

  /** Gives it the whole input. @returns how it ended */
  async run(input: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const closed = once(this.child, 'close')
    this.child.stdin?.on('error', () => {}).end(input)
    const [code] = await before(closed, () => `the client's end\n${this.stdout}${this.stderr}`)
    return { code, stdout: this.stdout, stderr: this.stderr }
  }
}

/** The command line of the client, for a terminal of its own. */
export function shellCommand(folder: string, args: string): string {
  const file = put(path.join(folder, 'shell.mjs'), SCRIPT)
  return `exec ${process.execPath} ${file} ${args}`
}

const SCRIPT = `import { shell } from ${JSON.stringify(path.join(ROOT, 'packages/cli/dist/shell.js'))}
process.exitCode = await shell(process.argv.slice(process.argv[1]?.endsWith('shell.mjs') ? 2 : 1))`
