import type { FastifyInstance } from 'fastify'
import { newId } from '../lib/ids.ts'
import { keep } from '../services/storage.ts'

export async function uploads(app: FastifyInstance): Promise<void> {
  app.put('/uploads', async (request) => {
    const id = newId('upload')
    await keep(id, Buffer.from(JSON.stringify(request.body)))
    return { id }
  })
}
