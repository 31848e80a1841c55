import { mapacheFastify } from '@mapache/fastify'
import Fastify from 'fastify'

const greeting = 'hello'

// Called in each worker; the supervisor does not call it.
function buildApp() {
  const app = Fastify()
  app.get('/', async () => `${greeting} from worker ${app.mapache.id}, generation ${app.mapache.generation}\n`)
  return app
}

const address = { port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' }
const cluster = await mapacheFastify(buildApp, { workers: 2 }).listen(address)

if (cluster.role === 'supervisor') {
  const url = `http://127.0.0.1:${cluster.addresses[0].port}`
  console.log(`
${import.meta.filename}
runs in two workers on ${url}

  ask it      curl ${url}
  edit it     change the greeting in the file above
  reload it   kill -HUP ${process.pid}
  load it     npx autocannon -d 20 ${url}   (and reload it meanwhile)
  stop it     kill ${process.pid}   (or Ctrl-C)
`)
}
