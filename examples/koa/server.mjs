import { mapacheHttp } from '@mapache/core'
import { worker } from '@mapache/core/worker'
import Koa from 'koa'

function createListener() {
  const app = new Koa()
  app.use((ctx) => {
    ctx.body = `hello from worker ${worker.id}, generation ${worker.generation}\n`
  })
  return app.callback()
}

await mapacheHttp(createListener, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
