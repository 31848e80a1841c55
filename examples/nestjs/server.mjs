import { mapacheHttp } from '@mapache/core'

// The supervisor does not load Nest: only the factory does, in each worker.
async function createListener() {
  const { createApp } = await import('./app.mjs')
  const app = await createApp()
  await app.init()
  return { listener: app.getHttpAdapter().getInstance(), close: () => app.close() }
}

await mapacheHttp(createListener, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
