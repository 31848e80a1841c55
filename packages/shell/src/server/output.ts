import type { TLSSocket } from 'node:tls'
import { type Frame, PROTOCOL } from '../frames.js'

/** Why a session ends. */
export type Ending = Extract<Frame, { type: 'bye' }>['reason']

/** What a session says, in words for a plain client, or in frames for ours. */
export class Output {
  readonly #socket: TLSSocket
  readonly #framed: boolean
  readonly #most: number

  /** @param most bytes that may wait for the other side; with more the connection is closed */
  constructor(socket: TLSSocket, most: number) {
    this.#socket = socket
    this.#framed = socket.alpnProtocol === PROTOCOL
    this.#most = most
  }

  /** Asks for the password. */
  login(): void {
    this.#say({ type: 'login' }, 'password: ')
  }

  /** The password was not taken. */
  denied(text: string): void {
    this.#say({ type: 'denied', text }, `${text}\n`)
  }

  /** Logged in, and ready for the first command. */
  ready(text: string, commands: readonly string[]): void {
    this.#say({ type: 'ready', text, commands: [...commands] }, `${text}\n${PROMPT}`)
  }

  /** @returns when the other side takes more */
  async text(text: string): Promise<void> {
    const whole = text.endsWith('\n') ? text : `${text}\n`
    this.#say({ type: 'text', text: whole }, whole)
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done)
        resolve()
      }
      this.#socket.once('drain', done).once('close', done)
    })
  }

  /** A command asks for a line. */
  ask(): void {
    this.#say({ type: 'ask' }, '')
  }

  /** A command has ended. @param more whether another may come */
  done(ok: boolean, more: boolean): void {
    this.#say({ type: 'done', ok }, more ? PROMPT : '')
  }

  /** The last word. */
  bye(reason: Ending, text: string): void {
    this.#say({ type: 'bye', reason, text }, text === '' ? '' : `${text}\n`)
  }

  #say(frame: Frame, words: string): void {
    const text = this.#framed ? `${JSON.stringify(frame)}\n` : words
    if (text === '' || !this.#socket.writable) return
    this.#socket.write(text)
    if (this.#socket.writableLength > this.#most) this.#socket.destroy()
  }
}

const PROMPT = '> '
