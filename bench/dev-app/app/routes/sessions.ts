import type { FastifyInstance } from 'fastify'
import { newId } from '../lib/ids.ts'
import { queue } from '../services/queue.ts'

export async function sessions(app: FastifyInstance): Promise<void> {
  app.post('/sessions', async () => {
    const id = newId('session')
    await queue.set(id, '{}', 'EX', 3600)
    return { id }
  })
}
