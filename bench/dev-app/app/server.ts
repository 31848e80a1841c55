import { createApp } from './app.ts'
import { config } from './config.ts'

const app = await createApp()
const address = await app.listen({ port: config.port, host: config.host })
console.log(`listening on ${address}`)
