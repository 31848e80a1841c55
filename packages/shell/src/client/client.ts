import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame } from '../frames.js'
import type { Target } from './arguments.js'
import { type Connection, connect } from './connection.js'
import { Failure } from './failure.js'
import { Input } from './input.js'
import { login, type Welcome } from './login.js'
import { readSecret } from './secret.js'

/**
 * What the person may do: type a command; type what a command asks for; wait for a command; wait for the shell to be back.
 */
type State = 'prompt' | 'asked' | 'running' | 'away'

/** `mapache shell`: one session, over as many connections as it takes. */
export class Client {
  readonly #target: Target
  #password: string | undefined
  #connection: Connection | undefined
  #input: Input | undefined
  #state: State = 'prompt'
  /** The command that runs, and the last word of the connection. */
  #command = ''
  #bye: Extract<Frame, { type: 'bye' }> | undefined
  #leaving = false
  #failed = false
  #finish: (code: number) => void = () => {}
  /** Aborted when the person waits no longer for the shell to be back. */
  readonly #away = new AbortController()
  readonly #done = new Promise<number>((resolve) => {
    this.#finish = resolve
  })

  constructor(target: Target) {
    this.#target = target
    this.#password = process.env.MAPACHE_SHELL_PASSWORD || undefined
    delete process.env.MAPACHE_SHELL_PASSWORD
  }

  /**
   * Runs the session.
   * @returns the exit code
   * @throws Failure when there is no connection, or no login
   */
  async run(): Promise<number> {
    const fixed = this.#password !== undefined
    const { text, commands } = await this.#begin(async (isAgain) => {
      if (fixed) return isAgain ? undefined : this.#password
      // Typed for a shell that was replaced just then.
      if (!isAgain && this.#password !== undefined) return this.#password
      this.#password = await readSecret(`Password for ${this.#target.host}:${this.#target.port}: `)
      return this.#password
    })
    // Only now: what is typed at the password is not for it.
    const input = new Input()
    this.#input = input
    input.names = commands
    if (input.isTerminal) process.stdout.write(`${text}\n`)
    // Whoever read it has gone, as head does.
    process.stdout.on('error', () => this.#finish(1))
    input.onLine = () => this.#advance()
    input.onInterrupt = () => this.#interrupt()
    this.#listen()
    this.#prompt()
    const code = await this.#done
    this.#connection?.close()
    input.close()
    return code
  }

  /** The first login: where nothing listens it fails, and a shell that is being replaced has a successor in a moment. */
  async #begin(password: Parameters<typeof login>[1]): Promise<Welcome> {
    const giveUpAt = performance.now() + PASSING
    for (let passes = false; ; ) {
      try {
        return await this.#connect(password)
      } catch (error) {
        passes ||= error instanceof Failure && error.isPassing
        if (!passes || (error as Failure).isFinal || performance.now() > giveUpAt) throw error
      }
      await sleep(100)
    }
  }

  async #connect(password: (isAgain: boolean) => Promise<string | undefined>): Promise<Welcome> {
    const connection = await connect(this.#target, note)
    const welcome = await login(connection, password, note)
    this.#connection = connection
    this.#bye = undefined
    return welcome
  }

  #listen(): void {
    this.#connection?.listen(
      (frame) => this.#take(frame),
      () => this.#closed()
    )
  }

  #take(frame: Frame): void {
    switch (frame.type) {
      case 'text':
        process.stdout.write(frame.text)
        return
      case 'ask':
        this.#state = 'asked'
        return this.#advance()
      case 'done':
        this.#command = ''
        if (!frame.ok) this.#failed = true
        return this.#prompt()
      case 'bye':
        this.#bye = frame
        return
      default:
        // Of the login, which is over.
        return
    }
  }

  #prompt(): void {
    this.#state = 'prompt'
    this.#input?.prompt()
    this.#advance()
  }

  /** Sends the next line, if one is waited for and one is there. */
  #advance(): void {
    const input = this.#input
    if (!input || (this.#state !== 'prompt' && this.#state !== 'asked')) return
    const line = input.take()
    if (line !== undefined) {
      if (this.#state === 'prompt') {
        if (line !== this.#password) input.remember(line)
        this.#command = line
      }
      this.#state = 'running'
      this.#connection?.send(line)
    } else if (input.ended) {
      this.#leaving = true
      this.#state = 'running'
      this.#connection?.end()
    }
  }

  #interrupt(): void {
    if (this.#state === 'away') this.#away.abort(new Failure('given up', true))
    else if (this.#state !== 'prompt') this.#connection?.interrupt()
    else {
      process.stdout.write('\n".exit" or Ctrl-D leaves.\n')
      this.#input?.prompt()
    }
  }

  #closed(): void {
    const bye = this.#bye
    if (bye?.reason === 'exit') return this.#end(this.#failed)
    if (bye && bye.reason !== 'replaced') {
      note(bye.text)
      return this.#end(true)
    }
    if (this.#leaving) return this.#end(this.#failed || this.#command !== '')
    void this.#reconnect().catch((error) => {
      const idle = error === NOTHING_LEFT && !this.#failed && this.#command === ''
      note(idle ? 'not needed.' : `failed\nmapache shell: ${error instanceof Failure ? error.message : error.stack}`)
      this.#finish(idle ? 0 : 1)
    })
  }

  /** @param failed whether what was to be done was not done: a person has seen it, a script is to be told */
  #end(failed: boolean): void {
    const seen = this.#input?.isTerminal && this.#bye?.reason !== 'refused'
    this.#finish(failed && !seen ? 1 : 0)
  }

  /** Goes on in the same session with the shell that comes after the one that has gone. */
  async #reconnect(): Promise<void> {
    const lost = this.#command
    // A shell that is replaced brings what it has begun to an end first: it has not begun this.
    const untouched = lost !== '' && this.#bye?.reason === 'replaced'
    const typing = this.#state === 'prompt' && this.#input?.isTerminal
    this.#state = 'away'
    process.stderr.write(`${typing ? '\n' : ''}Connection lost. Reconnecting... `)
    const giveUpAt = performance.now() + PATIENCE
    for (let wait = 100; ; wait = Math.min(2 * wait, 2_000)) {
      this.#away.signal.throwIfAborted()
      // Nobody has anything to say to it any more.
      if (this.#input?.exhausted && !untouched) throw NOTHING_LEFT
      try {
        const welcome = await this.#connect(async (isAgain) => (isAgain ? undefined : this.#password))
        if (this.#input) this.#input.names = welcome.commands
        break
      } catch (error) {
        if (!(error instanceof Failure) || error.isFinal || performance.now() > giveUpAt) throw error
      }
      await sleep(wait, undefined, { signal: this.#away.signal }).catch(() => {})
    }
    note('done!')
    this.#listen()
    if (untouched) {
      this.#state = 'running'
      this.#connection?.send(lost)
      return
    }
    if (lost !== '') {
      this.#failed = true
      this.#command = ''
      note(`The connection was lost while "${lost}" ran: what came of it is not known.`)
    }
    this.#prompt()
  }
}

/** For the person, and not for what reads the output. */
function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

const NOTHING_LEFT = new Failure('nothing is left to do there', true)
/** ms for which the successor of a shell is waited for that was replaced at the login. */
const PASSING = 10_000
/** ms for which a shell that has gone is waited for. */
const PATIENCE = 60_000
