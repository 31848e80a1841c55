import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import { pipelineBody, rootBody, slowBody, streamChunk, uploadBody } from '../../test/dist/support/loss/answers.js'

/** The loss client's app in Fastify's own words: the instance, not yet listening. */
export default function createLossFastify() {
  const app = Fastify()
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body)
  )
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-pid', process.pid)
  })
  app.get('/', async (request) => rootBody(request.query.n ?? ''))
  app.get('/slow', async (request) => {
    await sleep(Number(request.query.ms ?? 1200))
    return slowBody(request.query.n ?? '')
  })
  app.get('/pipeline', async (request) => {
    await sleep(Number(request.query.ms ?? 0))
    return pipelineBody(request.query.n ?? '')
  })
  app.get('/stream', async (request, reply) => {
    const { chunks = 10, every = 50, n = '' } = request.query
    return reply.type('text/plain').send(Readable.from(pieces(Number(chunks), Number(every), n)))
  })
  app.post('/upload', async (request) => uploadBody(request.body))
  return app
}

async function* pieces(chunks, every, n) {
  for (let index = 0; index < chunks; index++) {
    if (index > 0) await sleep(every)
    yield streamChunk(index, n)
  }
}
