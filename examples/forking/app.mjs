import { randomUUID } from 'node:crypto'
import { worker } from '@mapache/core/worker'
import Fastify from 'fastify'

// Loaded once, in the mold, and shared by all workers until one of them writes to it.
const catalogue = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `product ${id}` }))
const loadedBy = process.pid

// Made once as well, and so the same in all workers, if it were not made anew in each.
let instance = randomUUID()
worker.onFork(() => {
  instance = randomUUID()
})

// Called in each worker. What is opened here is the worker's own: connections to a database belong here, not above.
export default function buildApp() {
  const app = Fastify()
  app.get('/', async () => ({
    worker: worker.id,
    generation: worker.generation,
    pid: process.pid,
    loadedBy,
    instance,
    products: catalogue.length
  }))
  return app
}
