import http from 'node:http'

const KEPT = 16

/** Asks on kept connections and on new ones, each one request after the other. */
export class Client {
  answered = 0
  /** Failed on a connection of before the last kill: the dead worker may have held it. */
  held = 0
  /** Failed on a connection that was opened after it. */
  lost = 0
  killedAt = 0
  #port
  #agent = new http.Agent({ keepAlive: true, maxSockets: KEPT })
  #running = true
  #loops

  constructor(port) {
    this.#port = port
    this.#loops = [...Array(KEPT).fill(this.#agent), false].map((agent) => this.#loop(agent))
  }

  async stop() {
    this.#running = false
    await Promise.all(this.#loops)
    this.#agent.destroy()
  }

  async #loop(agent) {
    while (this.#running) await this.#ask(agent)
  }

  #ask(agent) {
    return new Promise((resolve) => {
      const request = http.get({ port: this.#port, host: '127.0.0.1', agent }, (response) => {
        response.resume()
        response.on('end', () => {
          this.answered += response.statusCode === 200 ? 1 : 0
          this.lost += response.statusCode === 200 ? 0 : 1
          resolve()
        })
        response.on('error', () => resolve(this.#failed(request)))
      })
      request.on('socket', (socket) => {
        socket.openedAt ??= performance.now()
      })
      request.on('error', () => resolve(this.#failed(request)))
    })
  }

  #failed({ socket }) {
    if ((socket?.openedAt ?? Number.POSITIVE_INFINITY) <= this.killedAt) this.held += 1
    else this.lost += 1
  }
}
