import http, { type RequestListener } from 'node:http'
import type { BoundAddress } from '../channel/messages.js'
import { MapacheError } from '../errors.js'
import type { Failure } from '../modules.js'
import { show } from '../show.js'
import type { FallbackForm } from '../supervisor/launch/launcher.js'
import { unwrapDefault } from './factory.js'
import type { Runtime } from './registry.js'

/** Serves what a module brings for it in place of the app, at all of the app's addresses. Never returns. */
export async function serveFallback(
  runtime: Runtime,
  { module, failure }: FallbackForm,
  addresses: readonly BoundAddress[]
): Promise<never> {
  const make = unwrapDefault(await import(module)) as (failure: Failure) => RequestListener
  if (typeof make !== 'function') {
    const text = `the fallback ${module} must export a function as default, got ${show(make)}`
    throw new MapacheError('MAPACHE_MODULE_INVALID', text)
  }
  const listener = make(failure)
  runtime.manage(undefined, () => {})
  for (const address of addresses) {
    const server = http.createServer(listener)
    const where = 'path' in address ? address : { host: address.address, port: address.port }
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(where, resolve))
  }
  runtime.serving()
  return new Promise(() => {})
}
