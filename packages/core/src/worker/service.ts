import { MapacheError } from '../errors.js'
import { RemoteCluster } from '../remote-cluster.js'
import type { ServiceOption } from '../services.js'
import type { ServiceHandle } from './handle.js'
import type { Runtime } from './registry.js'

/**
 * Runs a service in the process that is there for it.
 * @param run its function
 * @param options what it was given as `options`
 */
export async function runService(
  runtime: Runtime,
  run: (service: ServiceHandle) => unknown,
  options: unknown
): Promise<void> {
  runtime.manage(undefined, () => {})
  await runtime.activated()
  const cluster = new RemoteCluster('service', runtime)
  const log: ServiceHandle['log'] = (level, text) => runtime.say({ type: 'log', level, text: text.slice(0, LONGEST) })
  const more = { name: runtime.name, options, cluster, log }
  // It may wait for an answer, and for nothing else that would keep its process from ending.
  const begun = Promise.resolve(run(Object.assign(runtime.handle, more) satisfies ServiceHandle))
  runtime.hold(begun.catch(() => {}))
  await begun
  runtime.serving()
}

/**
 * Runs the service that this process is there for by its function in the option `services`. Called where the app's own
 * script listens: nothing that comes after that is for a service, so it never comes back.
 */
export async function runOwnService(runtime: Runtime, services: readonly ServiceOption[]): Promise<never> {
  const own = services.find(({ name, run }) => name === runtime.name && run)
  const missing = `the app's script has no function \`run\` in \`services\` for ${runtime.name} any more`
  if (!own?.run) return runtime.fail(new MapacheError('MAPACHE_SERVICE_INVALID', missing))
  await runService(runtime, own.run, own.options).catch((error) => runtime.fail(error))
  return new Promise<never>(() => {})
}

/** Characters of a line. */
const LONGEST = 20_000
