import type { FastifyInstance } from 'fastify'
import { money } from '../lib/money.ts'
import { ProductEntity } from '../models/product.ts'
import { Products } from '../services/products.ts'

export async function products(app: FastifyInstance): Promise<void> {
  app.get('/products', async () => Products.all().map(({ name, price }) => ({ name, price: money(price) })))
  app.get('/products/columns', async () => Object.keys(ProductEntity.options.columns))
}
