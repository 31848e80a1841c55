import { mapacheFastify } from '@mapache/fastify'

const address = { port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' }
const cluster = await mapacheFastify('./app.mjs', { workers: 2 }).listen(address)

if (cluster.role === 'supervisor') {
  const url = `http://127.0.0.1:${cluster.addresses[0].port}`
  const { forked } = await cluster.status()
  console.log(`
two workers on ${url}, ${forked ? 'forked from a mold' : 'spawned: the log above may say why'}

  ask it      curl ${url}
  reload it   kill -HUP ${process.pid}   (a new mold from disk)
  refork it   kill -URG ${process.pid}   (a warm worker becomes the mold)
  see it      ps --ppid ${process.pid} -o pid,args
  stop it     kill ${process.pid}   (or Ctrl-C)
`)
}
