import { get } from './fixture.js'

/** Clients that keep so many requests under way, each of which burns CPU time, until they are ended. */
export class Burning {
  #isOn = true
  readonly #clients: Promise<void>[]
  failures = 0

  /** @param ms of CPU time that each request takes */
  constructor(port: number, clients: number, ms: number) {
    this.#clients = Array.from({ length: clients }, async () => {
      while (this.#isOn) await get(port, `/burn?ms=${ms}`).catch(() => this.#failed())
    })
  }

  async end(): Promise<void> {
    this.#isOn = false
    await Promise.all(this.#clients)
  }

  #failed(): void {
    this.failures += 1
    this.#isOn = false
  }
}
