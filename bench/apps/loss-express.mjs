import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { pipelineBody, rootBody, slowBody, streamChunk, uploadBody } from '../../test/dist/support/loss/answers.js'

/** The loss client's app in Express's own words. */
export default function createLossExpress() {
  const app = express()
  app.use((_req, res, next) => {
    res.set('x-pid', String(process.pid))
    next()
  })
  app.get('/', (req, res) => {
    res.send(rootBody(req.query.n ?? ''))
  })
  app.get('/slow', async (req, res) => {
    await sleep(Number(req.query.ms ?? 1200))
    res.send(slowBody(req.query.n ?? ''))
  })
  app.get('/pipeline', async (req, res) => {
    await sleep(Number(req.query.ms ?? 0))
    res.send(pipelineBody(req.query.n ?? ''))
  })
  app.get('/stream', async (req, res) => {
    const { chunks = 10, every = 50, n = '' } = req.query
    res.type('text/plain')
    for (let index = 0; index < Number(chunks); index++) {
      if (index > 0) await sleep(Number(every))
      res.write(streamChunk(index, n))
    }
    res.end()
  })
  app.post('/upload', express.raw({ type: () => true, limit: '1mb' }), (req, res) => {
    res.send(uploadBody(req.body))
  })
  return app
}
