import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'

function createListener() {
  return (_req, res) => res.end(`hello from worker ${worker.id}, generation ${worker.generation}\n`)
}

await mapacheHttp(createListener, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
