import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { metrics } from '@mapache/metrics'
import { Counter } from 'prom-client'

const greetings = new Counter({ name: 'greetings_total', help: 'Greetings, over all workers and reloads.' })

function createListener() {
  return (_req, res) => {
    greetings.inc()
    res.end(`hello from generation ${worker.generation}\n`)
  }
}

// A Unix socket in place of the port: METRICS=/run/metrics.sock node server.mjs
const { METRICS } = process.env
const page = metrics(METRICS ? { path: METRICS } : { port: 9464 })

await mapacheHttp(createListener, { workers: 2, modules: [page] }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
