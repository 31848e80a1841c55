import type { FastifyInstance } from 'fastify'
import { charge } from '../services/cashier.ts'
import { Products } from '../services/products.ts'

export async function payments(app: FastifyInstance): Promise<void> {
  app.post('/payments/:id', async (request) => {
    const product = Products.find(Number((request.params as { id: string }).id))
    return product === undefined ? { paid: false } : { paid: await charge(product.price, product.name) }
  })
}
