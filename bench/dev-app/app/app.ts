// An ordinary app: what it depends on is loaded at import, what it connects to is not there.
import swagger from '@fastify/swagger'
import Fastify, { type FastifyInstance } from 'fastify'
import mercurius from 'mercurius'
import { resolvers, schema } from './graphql.ts'
import { answerErrors } from './lib/errors.ts'
import { carts } from './routes/carts.ts'
import { customers } from './routes/customers.ts'
import { health } from './routes/health.ts'
import { orders } from './routes/orders.ts'
import { payments } from './routes/payments.ts'
import { products } from './routes/products.ts'
import { sessions } from './routes/sessions.ts'
import { uploads } from './routes/uploads.ts'
import { version } from './routes/version.ts'

const routes = { carts, customers, health, orders, payments, products, sessions, uploads, version }

export async function createApp(create: typeof Fastify = Fastify, options: object = {}): Promise<FastifyInstance> {
  const app = create(options)
  answerErrors(app)
  await app.register(swagger, { openapi: { info: { title: 'shop', version: '1' } } })
  await app.register(mercurius, { schema, resolvers })
  for (const register of Object.values(routes)) await app.register(register)
  return app
}
