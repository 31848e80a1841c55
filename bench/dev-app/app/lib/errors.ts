import type { FastifyInstance } from 'fastify'
import { ZodError } from 'zod'

/** What a client has sent wrongly is its own fault. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    const status = error instanceof ZodError ? 400 : 500
    return reply.code(status).send({ error: error instanceof Error ? error.message : String(error) })
  })
}
