import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Clients that ask for the version one request at a time, until stopped: some on a new connection each and without a pause,
 * some on a kept one. What is refused or reset is counted and asked again at once.
 */
export class Stream {
  counts = { answered: 0, refused: 0, reset: 0, failed: 0, old: 0, crossed: 0 }
  #port
  #clients
  #stopped = false
  #newest = { version: 0, since: 0 }
  #latest = new Map()
  #waiting = new Set()

  /** @param {{ fresh?: number, kept?: number, pause?: number }} [how] `pause` ms of the kept ones between requests */
  constructor(port, { fresh = 1, kept = 1, pause = 5 } = {}) {
    this.#port = port
    const connections = [
      ...Array.from({ length: fresh }, () => ({ pause: 0 })),
      ...Array.from({ length: kept }, () => ({ pause, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }) }))
    ]
    for (const connection of connections) this.#latest.set(connection, 0)
    this.#clients = connections.map((connection) => this.#run(connection))
  }

  /** Resolves to the time (performance.now()) of the first answer with this version; undefined after `deadline` ms. */
  first(version, deadline = 30_000) {
    return this.#until(() => this.#newest.version >= version, deadline)
  }

  /** Resolves to the time at which each client has had an answer with this version; undefined after `deadline` ms. */
  everywhere(version, deadline = 30_000) {
    return this.#until(() => [...this.#latest.values()].every((one) => one >= version), deadline)
  }

  async stop() {
    this.#stopped = true
    await Promise.all(this.#clients)
  }

  async #run(connection) {
    const { agent, pause } = connection
    while (!this.#stopped) {
      const sent = performance.now()
      const { version, problem } = await ask(this.#port, agent)
      if (problem !== undefined) this.counts[problem] += 1
      else this.#answered(connection, version, sent)
      if (pause > 0) await sleep(pause)
    }
    agent?.destroy()
  }

  #answered(connection, version, sent) {
    this.counts.answered += 1
    this.#latest.set(connection, version)
    if (version > this.#newest.version) this.#newest = { version, since: performance.now() }
    else if (version < this.#newest.version) {
      this.counts.old += 1
      // It was on its way when the first new answer came.
      if (sent < this.#newest.since) this.counts.crossed += 1
    }
    for (const check of this.#waiting) check()
  }

  #until(reached, deadline) {
    return new Promise((resolve) => {
      const settle = (at) => {
        clearTimeout(timer)
        this.#waiting.delete(check)
        resolve(at)
      }
      const check = () => reached() && settle(performance.now())
      const timer = setTimeout(settle, deadline)
      this.#waiting.add(check)
    })
  }
}

/** Asks once; a problem is refused (no connection), reset (a connection that broke) or failed (not 200, or never). */
function ask(port, agent = false) {
  return new Promise((resolve) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/version', agent, timeout: 30_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece) => {
        text += piece
      })
      response.on('error', () => resolve({ problem: 'reset' }))
      response.on('end', () => {
        const version = Number(/^v(\d+)$/.exec(text)?.[1])
        resolve(response.statusCode === 200 && version >= 0 ? { version } : { problem: 'failed' })
      })
    })
    request.on('timeout', () => {
      resolve({ problem: 'failed' })
      request.destroy()
    })
    request.on('error', ({ code }) => resolve({ problem: code === 'ECONNREFUSED' ? 'refused' : 'reset' }))
  })
}
