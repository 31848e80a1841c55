import { mapacheExpress } from '@mapache/express'

// The app is named, not imported: the supervisor never loads it, and workers load nothing else.
const app = new URL('./app.mjs', import.meta.url)

await mapacheExpress(app, { workers: 2 }).listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
