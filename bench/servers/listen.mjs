import http from 'node:http'

/**
 * Builds the app of a task and listens with it, as one would without Mapache.
 * @param {import('./control.mjs').Task} task
 * @returns {Promise<() => Promise<void>>} the graceful close that the framework's documentation recommends
 */
export async function listenPlainly({ kind, app, port }) {
  const { default: factory } = await import(app)
  const built = await factory()
  if (kind === 'fastify') {
    await built.listen({ port, host: '127.0.0.1' })
    return () => built.close()
  }
  const server = http.createServer(built)
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  return () => new Promise((resolve) => server.close(resolve))
}
