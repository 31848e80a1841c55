import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { Listenable, MapacheOptions } from '@mapache/core'
import { type Adapter, type Factory, MapacheError, makeListenable, markMain, show } from '@mapache/core/adapter'
import type { FastifyInstance } from 'fastify'
import { decorate } from './plugin.js'
import { listenAlone } from './takeover.js'

export interface MapacheFastifyOptions extends MapacheOptions {
  /**
   * Makes the servers of a second and further address: `(listener) => https.createServer(tls, listener)`. The first
   * is served by Fastify's own server, with Fastify's own options. Default: plain HTTP/1.1.
   */
  server?: (listener: http.RequestListener) => Server
}

/**
 * Serves a Fastify app from several workers: `mapacheFastify(() => buildApp()).listen({ port: 3000 })`.
 * In the app, `app.mapache` is the worker that it runs in.
 * @param factory returns the instance, not listening; or the path or URL of a module whose default export does
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_FACTORY_INVALID
 */
export function mapacheFastify(
  factory: Factory<FastifyInstance> | string | URL,
  options: MapacheFastifyOptions = {}
): Listenable {
  return makeListenable(adapter as Adapter<FastifyInstance, MapacheFastifyOptions>, factory, options)
}

/** For the module form: workers import it from here. */
export const adapter: Adapter<FastifyInstance, MapacheFastifyOptions> = {
  name: 'fastify',
  module: new URL('./index.js', import.meta.url).href,
  options: ['server'],
  // Fastify opens a server of its own for the other family.
  expandsLocalhost: true,
  open(app, { server: makeServer }) {
    if (typeof app?.listen !== 'function' || typeof app.inject !== 'function') {
      throw new MapacheError('MAPACHE_FACTORY_INVALID', `the factory must return a Fastify instance, got ${show(app)}`)
    }
    decorate(app)
    let first = true
    return {
      async listen(address) {
        if (first) {
          first = false
          await listenAlone(app, address)
          return portOf(app.server)
        }
        if (!makeServer && !isPlain(app.server)) {
          throw new MapacheError(
            'MAPACHE_OPTION_INVALID',
            'server must be given to listen on several addresses with HTTPS or HTTP/2: it makes the further servers'
          )
        }
        const server = (makeServer ?? http.createServer)(app.routing as unknown as http.RequestListener)
        if (server instanceof http.Server) Object.assign(server, timeoutsOf(app.server))
        markMain(server)
        server.listen(address)
        await once(server, 'listening')
        return portOf(server)
      },
      close: () => app.close()
    }
  }
}

function isPlain(server: object): boolean {
  return server instanceof http.Server
}

function timeoutsOf({ keepAliveTimeout, requestTimeout, headersTimeout, timeout, maxRequestsPerSocket }: http.Server) {
  return { keepAliveTimeout, requestTimeout, headersTimeout, timeout, maxRequestsPerSocket }
}

function portOf(server: Server): { port?: number } {
  const bound = server.address() as AddressInfo | string | null
  return typeof bound === 'object' && bound ? { port: bound.port } : {}
}
