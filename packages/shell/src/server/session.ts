import type { TLSSocket } from 'node:tls'
import { PROTOCOL } from '../frames.js'
import { findCommand } from './command.js'
import { Inbox, InputEnded, LineTooLong } from './inbox.js'
import { type Input, LineReader } from './lines.js'
import { login } from './login.js'
import { Output } from './output.js'
import { EXIT, perform } from './perform.js'
import { Aborted, Left, type Shared } from './shared.js'
import { describeError, oneLine } from './text.js'
import { nearest, splitWords } from './words.js'

/** One connection: the login, then one command after another. */
export class Session {
  readonly #socket: TLSSocket
  readonly #shared: Shared
  readonly #inbox: Inbox
  readonly #output: Output
  /** Aborted with why nothing more is read at the prompt. */
  readonly #leave = new AbortController()
  /** Gets the user out of the command that runs. */
  #running: AbortController | undefined
  /** The user, as the log names it. */
  #who = ''

  constructor(socket: TLSSocket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#inbox = new Inbox(shared.limits.waiting)
    this.#output = new Output(socket, shared.limits.output)
  }

  /**
   * Serves the connection to its end.
   * @param loggedIn called when it counts no longer as pending
   * @returns when it is over
   */
  async serve(loggedIn: () => void): Promise<void> {
    this.#read()
    const { retiring } = this.#shared
    const onRetire = () => this.#leave.abort(new Left('replaced', 'This shell is being replaced or stopped.'))
    retiring.addEventListener('abort', onRetire)
    try {
      if (retiring.aborted) onRetire()
      await this.#login()
      loggedIn()
      await this.#loop()
    } catch (error) {
      if (error instanceof Left) this.#output.bye(error.reason, error.message)
      else if (!(error instanceof InputEnded)) this.#shared.log('warn', `${this.#who}: ${describeError(error)}`)
    } finally {
      retiring.removeEventListener('abort', onRetire)
      this.#finish()
    }
  }

  #read(): void {
    const reader = new LineReader(this.#shared.limits.line)
    this.#socket.on('data', (chunk: Buffer) => {
      for (const input of reader.push(chunk)) this.#take(input)
    })
    this.#socket.on('end', () => {
      for (const input of reader.end()) this.#take(input)
      // Our client closes its side at the prompt, or where it is asked: anywhere else it has gone.
      const isOurs = this.#socket.alpnProtocol === PROTOCOL
      if (isOurs && !this.#inbox.isAwaited) this.#running?.abort(new InputEnded())
      this.#inbox.end()
    })
    this.#socket.on('close', () => {
      this.#inbox.clear()
      this.#inbox.end()
      this.#leave.abort(new InputEnded())
      this.#running?.abort(new InputEnded())
    })
    // What goes wrong with a connection ends it, and `close` follows.
    this.#socket.on('error', () => {})
  }

  #take(input: Input): void {
    if (this.#leave.signal.aborted && !this.#running) return
    if (input.type === 'interrupt' || (input.type === 'line' && input.bytes.equals(ABORT))) {
      // As at a terminal, what was typed ahead goes with it.
      this.#inbox.clear()
      this.#running?.abort(new Aborted())
    } else if (!this.#inbox.push(input)) {
      this.#leave.abort(new Left('refused', 'Too many lines wait for their turn.'))
      this.#running?.abort(this.#leave.signal.reason)
    }
  }

  async #login(): Promise<void> {
    const late = new Left('refused', 'The login took too long.')
    const timer = setTimeout(() => this.#leave.abort(late), this.#shared.limits.loginTimeout)
    try {
      const { signal } = this.#leave
      const parts = { socket: this.#socket, inbox: this.#inbox, output: this.#output, signal }
      this.#who = await login(parts, this.#shared)
    } finally {
      clearTimeout(timer)
    }
  }

  async #loop(): Promise<void> {
    const { commands, cluster, notice } = this.#shared
    const { name } = await cluster.status()
    const greeting = `Mapache shell of ${oneLine(name)}. "help" lists the commands, ".exit" leaves.`
    const names = commands.map((command) => command.name)
    this.#output.ready(notice === undefined ? greeting : `${greeting}\n${notice}`, names)
    for (;;) {
      const line = await this.#next()
      if (line?.equals(EXIT)) throw new Left('exit', '')
      const ok = line !== undefined && (await this.#execute(line.toString().trim()))
      // What makes the session end may have come while the command ran, which was let finish.
      const { signal } = this.#leave
      this.#output.done(ok, !signal.aborted)
      signal.throwIfAborted()
    }
  }

  /** The next line at the prompt; undefined when it was too long. */
  async #next(): Promise<Buffer | undefined> {
    const { idleTimeout, line } = this.#shared.limits
    const idle = new Left('idle', `Closed after ${Math.round(idleTimeout / 1_000)} seconds without a command.`)
    const timer = setTimeout(() => this.#leave.abort(idle), idleTimeout)
    try {
      return await this.#inbox.take(this.#leave.signal)
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error
      void this.#output.text(`The line is too long: it may have ${line} bytes.`)
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  /** @returns whether it went well */
  async #execute(line: string): Promise<boolean> {
    const { commands, log } = this.#shared
    try {
      const words = splitWords(line)
      if (words.length === 0) return true
      const found = findCommand(commands, words)
      if (!found) {
        // Not what was typed: it may be a password at the wrong place.
        log('info', `${this.#who}: an unknown command`)
        void this.#output.text(unknown(words, [...commands.map((command) => command.name), '.exit']))
        return false
      }
      log('info', `${this.#who}: ${oneLine(line)}`)
      this.#running = new AbortController()
      await perform({ ...found, inbox: this.#inbox, output: this.#output, running: this.#running }, this.#shared)
      return true
    } catch (error) {
      if (error instanceof Left) throw error
      void this.#output.text(describeError(error))
      return false
    } finally {
      this.#running = undefined
    }
  }

  #finish(): void {
    this.#socket.end()
    // Whoever does not close its own side is not waited for.
    const timer = setTimeout(() => this.#socket.destroy(), LINGER)
    this.#socket.once('close', () => clearTimeout(timer))
  }
}

function unknown(words: readonly string[], names: readonly string[]): string {
  const typed = words.slice(0, 2).join(' ')
  const near = nearest(typed, names) ?? nearest(words[0] ?? '', names)
  const family = names.filter((name) => name.startsWith(`${words[0]} `))
  const hint = near ? `Did you mean ${near}?` : family.length > 0 ? `There is ${family.join(', ')}.` : 'See help.'
  return `Unknown command ${JSON.stringify(oneLine(typed, 60))}. ${hint}`
}

/** What gets out of a command, for who cannot send the byte of Ctrl-C. */
const ABORT = Buffer.from('.abort')
/** ms that a client has to close its side. */
const LINGER = 1_000
