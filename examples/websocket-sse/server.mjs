import http from 'node:http'
import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { WebSocketServer } from 'ws'

const who = `worker ${worker.id}, generation ${worker.generation}`

function createServer() {
  const server = http.createServer((req, res) => {
    if (req.url === '/events') sendEvents(res)
    else res.end(`hello from ${who}\n`)
  })
  const sockets = new WebSocketServer({ server, path: '/socket' })
  sockets.on('connection', (socket) => {
    socket.send(`hello from ${who}`)
    socket.on('message', (data) => socket.send(`${data}`))
  })
  // 1012 is "service restart": the client connects anew, and gets a worker that serves.
  worker.onRetire(() => {
    for (const socket of sockets.clients) socket.close(1012, 'service restart')
  })
  return server
}

function sendEvents(res) {
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  const timer = setInterval(() => res.write(`data: ${who}\n\n`), 1_000)
  res.write(`retry: 100\ndata: ${who}\n\n`)
  res.on('close', () => clearInterval(timer))
  // A browser's EventSource connects anew by itself.
  worker.retiring.addEventListener('abort', () => res.end(), { once: true })
}

await mapacheHttp(createServer, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
