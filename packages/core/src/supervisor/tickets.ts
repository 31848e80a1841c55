import { randomBytes } from 'node:crypto'

/**
 * The keys that encrypt TLS session tickets. All workers share them, so that a session resumes on any worker and after a
 * reload; they are made anew twice a day, because who has the key can read what was resumed with it.
 */
export class TicketKeys {
  #keys = makeKeys()
  readonly #timer: NodeJS.Timeout

  /** @param rotated is called with the new keys */
  constructor(rotated: (keys: string) => void, every = ROTATION) {
    this.#timer = setInterval(() => {
      this.#keys = makeKeys()
      rotated(this.#keys)
    }, every)
    this.#timer.unref()
  }

  /** As hexadecimal text, for the channel. */
  get current(): string {
    return this.#keys
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

/** What tls.Server.setTicketKeys takes: 16 bytes of name, 16 of HMAC key, 16 of AES key. */
function makeKeys(): string {
  return randomBytes(48).toString('hex')
}

/** Milliseconds. */
const ROTATION = 12 * 3_600_000
