import type { FastifyInstance } from 'fastify'
import { database } from '../services/database.ts'
import { queue } from '../services/queue.ts'

export async function health(app: FastifyInstance): Promise<void> {
  app.get('/health', async () => ({ connections: database.totalCount, queue: queue.status }))
}
