import http from 'node:http'
import { worker } from '@mapache/core/worker'

const server = http.createServer((_req, res) => {
  res.end(`release 1, worker ${worker.id}, generation ${worker.generation}\n`)
})
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
