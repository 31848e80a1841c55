import express from 'express'

export default function createApp() {
  const app = express()
  app.get('/', (_req, res) => {
    const { id, generation } = app.locals.mapache
    res.send(`hello from worker ${id}, generation ${generation}\n`)
  })
  return app
}
