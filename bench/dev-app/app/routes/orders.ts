import type { FastifyInstance } from 'fastify'
import { newId } from '../lib/ids.ts'
import { Order } from '../models/order.ts'
import { database } from '../services/database.ts'

export async function orders(app: FastifyInstance): Promise<void> {
  app.post('/orders', async (request) => {
    const order = Order.parse(request.body)
    const id = newId('order')
    await database.query('insert into orders values ($1, $2, $3)', [id, order.product, order.amount])
    return { id }
  })
}
