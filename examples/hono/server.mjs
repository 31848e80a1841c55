import { getRequestListener } from '@hono/node-server'
import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import { Hono } from 'hono'

function createListener() {
  const app = new Hono()
  app.get('/', (c) => c.text(`hello from worker ${worker.id}, generation ${worker.generation}\n`))
  return getRequestListener(app.fetch)
}

await mapacheHttp(createListener, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
