import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { requestCounter } from 'mapache-request-counter'
import { countRequest } from 'mapache-request-counter/worker'

function createListener() {
  return (_req, res) => {
    countRequest()
    res.end(`hello from worker ${worker.id}, generation ${worker.generation}\n`)
  }
}

const options = { workers: 2, modules: [requestCounter({ every: 2_000 })] }
await mapacheHttp(createListener, options).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
