import type { RequestListener } from 'node:http'
import type { HttpOptions, Listenable, MapacheOptions } from '@mapache/core'
import {
  type Adapter,
  currentRuntime,
  type Factory,
  MapacheError,
  makeListenable,
  openHttp,
  show
} from '@mapache/core/adapter'
import { worker } from '@mapache/core/worker'
import type { Express } from 'express'

export interface MapacheExpressOptions extends MapacheOptions {
  /** Makes the server of the app: `(app) => https.createServer(tls, app)`. Default: plain HTTP/1.1. */
  server?: HttpOptions['server']
}

/**
 * Serves an Express app from several workers: `mapacheExpress(createApp).listen(3000)`.
 * In the app, `app.locals.mapache` is the worker that it runs in.
 * @param factory returns the app; or the path or URL of a module whose default export does (and which may export
 *   `server`, too)
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_FACTORY_INVALID
 */
export function mapacheExpress(
  factory: Factory<Express> | string | URL,
  options: MapacheExpressOptions = {}
): Listenable {
  return makeListenable(adapter, factory, options)
}

export default mapacheExpress

/** For the module form: workers import it from here. */
export const adapter: Adapter<Express, MapacheExpressOptions> = {
  name: 'express',
  module: import.meta.url,
  options: ['server'],
  open(app, { server }) {
    if (typeof app !== 'function' || typeof app.use !== 'function') {
      const got = show(app)
      throw new MapacheError('MAPACHE_FACTORY_INVALID', `the factory must return an Express app, got ${got}`)
    }
    app.locals.mapache = currentRuntime()?.handle ?? worker
    return openHttp(app as unknown as RequestListener, server)
  }
}
