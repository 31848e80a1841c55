// A restart per request, as Shotgun does: each request gets a server of its own, which is ended after its answer.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'

const entry = process.argv[2]

http
  .createServer(async (request, response) => {
    const server = spawn(process.execPath, [entry], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    try {
      await pass(request, response, await address(server))
    } catch (error) {
      response.writeHead(500).end(String(error))
    } finally {
      server.kill('SIGKILL')
    }
  })
  .listen(Number(process.env.PORT), '127.0.0.1')

/** The address that the server says it listens on. */
async function address(server) {
  let text = ''
  for await (const piece of server.stdout) {
    text += piece
    const found = /listening on (\S+)\n/.exec(text)
    if (found) return found[1]
  }
  throw new Error('it has ended')
}

async function pass(request, response, base) {
  const { method, headers, url } = request
  const onward = request.pipe(http.request(new URL(url, base), { method, headers, agent: false }))
  const [answer] = await once(onward, 'response')
  // It belongs to this connection alone; the client's may be kept.
  const { connection: _, ...passed } = answer.headers
  response.writeHead(answer.statusCode, passed)
  await once(answer.pipe(response), 'finish')
}
