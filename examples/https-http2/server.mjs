import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'

const { CERT = 'cert.pem', KEY = 'key.pem', PORT = '3443' } = process.env

function createListener() {
  return (req, res) => res.end(`HTTP/${req.httpVersion} from worker ${worker.id}, generation ${worker.generation}\n`)
}

// Called in each worker, so that a reload brings a renewed certificate. HTTP/1.1 alone: https.createServer(tls, listener).
function server(listener) {
  return http2.createSecureServer({ allowHTTP1: true, cert: readFileSync(CERT), key: readFileSync(KEY) }, listener)
}

await mapacheHttp(createListener, { workers: 2, server }).listen(Number(PORT), '127.0.0.1')
