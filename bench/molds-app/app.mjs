// An ordinary app: what it depends on is loaded at import, what it connects to is not there.
import { S3Client } from '@aws-sdk/client-s3'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import Redis from 'ioredis'
import mercurius from 'mercurius'
import pg from 'pg'
import Stripe from 'stripe'
import { EntitySchema } from 'typeorm'
import { z } from 'zod'

const Order = z.object({ product: z.string().min(1), amount: z.number().int().positive() })
const Product = new EntitySchema({ name: 'Product', columns: { id: { type: Number, primary: true } } })
const loaded = [S3Client, Redis, pg.Pool, Stripe, Product].map((one) => one.name ?? 'entity')

export default async function createApp() {
  const app = Fastify()
  await app.register(swagger, { openapi: { info: { title: 'shop', version: '1' } } })
  await app.register(mercurius, {
    schema: 'type Query { product(id: Int): String }',
    resolvers: { Query: { product: (_root, { id }) => `product ${id}` } }
  })
  const schema = {
    response: { 200: { type: 'object', properties: { hello: { type: 'string' }, loaded: { type: 'integer' } } } }
  }
  app.get('/', { schema }, async () => ({ hello: 'world', loaded: loaded.length }))
  app.post('/orders', async (request) => Order.parse(request.body))
  return app
}
