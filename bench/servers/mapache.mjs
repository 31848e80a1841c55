import { control, task } from './control.mjs'

const { kind, app, port, workers, options, metrics } = task()
const wanted = { workers, ...options }
if (metrics) wanted.modules = [(await import('@mapache/metrics')).metrics(metrics)]
const cluster = await listen()
control(
  {
    // Some answer with nothing, some with the state of the roll: only the time matters here.
    reload: async () => void (await cluster.reload()),
    stop: async () => void (await cluster.stop()),
    workers: () => cluster.workers.map(({ id, generation, pid, state }) => ({ id, generation, pid, state }))
  },
  { addresses: cluster.addresses }
)

// Only the adapter that is measured is loaded: the supervisor's memory is one of the figures.
async function listen() {
  const factory = new URL(app)
  if (kind === 'fastify') {
    const { mapacheFastify } = await import('@mapache/fastify')
    return mapacheFastify(factory, wanted).listen({ port, host: '127.0.0.1' })
  }
  if (kind === 'express') {
    const { mapacheExpress } = await import('@mapache/express')
    return mapacheExpress(factory, wanted).listen(port, '127.0.0.1')
  }
  const { mapacheHttp } = await import('@mapache/core')
  return mapacheHttp(factory, wanted).listen(port, '127.0.0.1')
}
