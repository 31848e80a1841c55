// The main script of a worker in the module form, which imports the factory's module and no entry, and of a service.

import { MapacheError } from '../errors.js'
import { serveInWorker } from '../listenable.js'
import { show } from '../options.js'
import { loadFactory } from './factory.js'
import type { ServiceHandle } from './handle.js'
import { currentRuntime, type Runtime } from './registry.js'

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
  await runService(runtime, loaded.factory, options)
}

async function runService(service: Runtime, run: unknown, given: { options?: unknown }): Promise<void> {
  if (typeof run !== 'function') {
    const text = `${factory} must export the function that runs the service as default, got ${show(run)}`
    throw new MapacheError('MAPACHE_SERVICE_INVALID', text)
  }
  service.manage(undefined, () => {})
  await service.activated()
  await run(Object.assign(service.handle, { name: service.name, options: given.options }) satisfies ServiceHandle)
  service.serving()
}
