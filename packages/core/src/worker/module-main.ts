// The main script of a worker in the module form, which imports the factory's module and no entry, and of a service.

import { MapacheError } from '../errors.js'
import { serveInWorker } from '../listenable.js'
import { show } from '../show.js'
import { loadFactory } from './factory.js'
import { currentRuntime } from './registry.js'
import { runService } from './service.js'

const runtime = currentRuntime()
if (!runtime?.module) throw new Error('this script is run by a Mapache supervisor only')
const { factory, adapter, listen, options } = runtime.module
const loaded = await loadFactory(factory)
if (adapter) {
  const by = (await import(adapter)) as { adapter: Parameters<typeof serveInWorker>[0] }
  await runtime.serve(() => {
    return serveInWorker(by.adapter, loaded.factory, { ...options, ...loaded.options }, listen).catch((error) =>
      runtime.fail(error)
    )
  })
} else {
  if (typeof loaded.factory !== 'function') {
    const text = `${factory} must export the function that runs the service as default, got ${show(loaded.factory)}`
    throw new MapacheError('MAPACHE_SERVICE_INVALID', text)
  }
  await runService(
    runtime,
    loaded.factory as Parameters<typeof runService>[1],
    (options as { options?: unknown }).options
  )
}
