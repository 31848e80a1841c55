import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { before, type Fixture } from '../support/fixture.js'

/** A port that was free a moment ago, and that the system does not give to clients. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    const server = net.createServer().listen(port)
    const free = await once(server, 'listening').then(
      () => true,
      () => false
    )
    server.close()
    if (free) return port
  }
}

/** The status and the beginning of the answer to a GET: an answer may have no end. */
export async function ask(port: number, path = '/', tls = false): Promise<{ status: number; text: string }> {
  const options = { port, path, host: '127.0.0.1', agent: false, rejectUnauthorized: false } as const
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = (tls ? https : http).get(options, (response) => {
      const { statusCode: status = 0 } = response
      response.setEncoding('utf8')
      const done = (text: string) => {
        resolve({ status, text })
        request.destroy()
      }
      response.once('data', done)
      response.once('end', () => done(''))
      response.on('error', reject)
    })
    request.on('error', reject)
  })
  return before(answer, () => `the answer of port ${port}`)
}

/** Reloads and waits until it is done. */
export async function reload(fixture: Fixture): Promise<void> {
  const from = fixture.output.length
  fixture.kill('SIGHUP')
  await fixture.printed(/reloaded: gen=\d+ serves|reload failed/, from)
}

/** Stops it. @returns what an orderly stop makes `{ code: 0, signal: null, left: [] }` */
export async function stop(fixture: Fixture) {
  if (!fixture.exited) fixture.kill('SIGTERM')
  const end = await fixture.exit()
  return { ...end, left: [...fixture.processes(), ...fixture.leftovers()] }
}

export const STOPPED = { code: 0, signal: null, left: [] }
