// The main script of a worker in the module form, which imports the factory's module and no entry, and of a service.

import { MapacheError } from '../errors.js'
import { serveInWorker } from '../listenable.js'
import type { SetupFunction, TaskName } from '../setup.js'
import { show } from '../show.js'
import { loadFactory } from './factory.js'
import { currentRuntime } from './registry.js'
import { runService } from './service.js'
import { importTask, runTask } from './task.js'

const runtime = currentRuntime()
if (!runtime?.module) throw new Error('this script is run by a Mapache supervisor only')
const { factory, adapter, listen, options } = runtime.module
if (runtime.role === 'task') {
  // With an adapter it is the factory's module, which may export the task beside it.
  await runTask(runtime, async () => (adapter ? exportedTask(factory, runtime.name) : importTask(factory)))
}
const loaded = await loadFactory(factory)
if (adapter) {
  runtime.needSetup(loaded.options.setup)
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

async function exportedTask(factory: string, name: string): Promise<SetupFunction | undefined> {
  const run = (await loadFactory(factory)).options[name as TaskName]
  if (run === undefined || typeof run === 'function') return run as SetupFunction | undefined
  throw new MapacheError('MAPACHE_SETUP_INVALID', `${factory} must export a function as ${name}, got ${show(run)}`)
}
