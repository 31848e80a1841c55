import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import type { ListenAddress } from './address.js'
import { MapacheError } from './errors.js'
import { type Adapter, type Listenable, makeListenable, type Opened } from './listenable.js'
import { type MapacheOptions, show } from './options.js'
import type { Factory } from './worker/factory.js'
import { markMain } from './worker/registry.js'

/** What a listener factory may return: a listener, a server that does not listen yet, or either with its own close. */
export type HttpApp = RequestListener | Server | { listener: RequestListener | Server; close?: () => unknown }

export interface HttpOptions extends MapacheOptions {
  /** Makes the server of the listener: `(listener) => https.createServer(tls, listener)`. Default: plain HTTP/1.1. */
  server?: (listener: RequestListener) => Server
}

/**
 * Serves anything that handles Node's requests: node:http, Koa, Hono, NestJS ...
 * @param factory returns the listener `(req, res) => ...` or a server; or the path or URL of a module whose default export
 *   does (it may export `server`, too)
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_FACTORY_INVALID
 */
export function mapacheHttp(factory: Factory<HttpApp> | string | URL, options: HttpOptions = {}): Listenable {
  return makeListenable(adapter, factory, options)
}

/** For the module form: workers import it from here. */
export const adapter: Adapter<HttpApp, HttpOptions> = {
  name: 'http',
  module: import.meta.url,
  options: ['server'],
  open(app, { server }) {
    const { listener, close } = typeof app === 'object' && 'listener' in app ? app : { listener: app, close: undefined }
    return openHttp(listener, server, close)
  }
}

/**
 * Opens a listener or a server for any number of addresses: a listener gets a server for each.
 * @throws MAPACHE_FACTORY_INVALID, MAPACHE_OPTION_INVALID
 */
export function openHttp(
  app: RequestListener | Server,
  makeServer: HttpOptions['server'],
  close: () => unknown = () => {}
): Opened {
  const isServer = typeof (app as Server).listen === 'function' && typeof (app as Server).address === 'function'
  if (!isServer && typeof app !== 'function') {
    throw new MapacheError(
      'MAPACHE_FACTORY_INVALID',
      `the factory must return a request listener (a function) or a server, got ${show(app)}`
    )
  }
  let used = false
  return {
    async listen(address: ListenAddress) {
      if (isServer && used) {
        throw new MapacheError(
          'MAPACHE_FACTORY_INVALID',
          'one server cannot listen on several addresses (localhost is two): return the listener instead'
        )
      }
      used = true
      const server = isServer ? (app as Server) : checkServer((makeServer ?? http.createServer)(app as RequestListener))
      markMain(server)
      server.listen(address)
      await once(server, 'listening')
      const bound = server.address() as AddressInfo | string | null
      return typeof bound === 'object' && bound ? { port: bound.port } : {}
    },
    close
  }
}

function checkServer(server: Server): Server {
  if (typeof server?.listen === 'function') return server
  throw new MapacheError('MAPACHE_OPTION_INVALID', `server must return a server that can listen, got ${show(server)}`)
}
