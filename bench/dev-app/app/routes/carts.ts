import type { FastifyInstance } from 'fastify'
import { Order } from '../models/order.ts'
import { queue } from '../services/queue.ts'

export async function carts(app: FastifyInstance): Promise<void> {
  app.post('/carts/:id', async (request) => {
    const { id } = request.params as { id: string }
    await queue.rpush(`cart:${id}`, JSON.stringify(Order.parse(request.body)))
    return { id }
  })
}
