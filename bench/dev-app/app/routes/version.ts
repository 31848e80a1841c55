import type { FastifyInstance } from 'fastify'

// The benchmark writes another one here.
const current: string = 'v0'

export async function version(app: FastifyInstance): Promise<void> {
  app.get('/version', async () => current)
}
