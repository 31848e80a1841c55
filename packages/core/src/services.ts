import type { PlanState } from './cluster/plan.js'
import type { MapacheError } from './errors.js'
import { findModuleFile } from './module-file.js'
import type { ServiceHandle } from './worker/handle.js'

/** A supervised helper process, as a module brings it. */
export interface ServiceSpec {
  name: string
  /** Path or URL of a module whose default export runs the service: `(service) => ...`. */
  entry: string | URL
  /** How many processes; default 1. */
  instances?: number
  /** Plain data, handed to the service as `service.options`. */
  options?: unknown
  /** Whether the service may reload, scale and stop the cluster by `service.cluster`. Default false: it may look. */
  control?: boolean
  /**
   * Whether its successor serves before it leaves, when it is replaced. Default false: then it leaves first, so that never
   * more than `instances` of it run.
   */
  overlap?: boolean
}

/** A supervised helper process, as the option `services` has it: with an entry, or with the function itself. */
export interface ServiceOption extends Omit<ServiceSpec, 'entry'> {
  entry?: string | URL
  /** Runs the service, in place of an entry: the process runs the app's own script as far as its `listen`. */
  run?: (service: ServiceHandle) => unknown
}

/** A service with its entry found and its count filled in. */
export interface ResolvedService {
  /** Unique in the cluster; `module/service` of one that a module brings. */
  name: string
  /** The file of its entry; none if the app's own script has its function. */
  file: string | undefined
  count: number
  options: unknown
  control: boolean
  overlap: boolean
}

/** Makes the error for what is wrong: where it stands, what it must be, what was got. */
export type Invalid = (at: string, must: string, got: unknown) => MapacheError

/**
 * Checks a service and finds its file.
 * @param at where it stands, for the error
 * @param prefix what its name begins with in the cluster
 * @param base the folder that a relative entry starts from
 */
export function resolveService(
  at: string,
  prefix: string,
  service: ServiceOption,
  base: string,
  invalid: Invalid
): ResolvedService {
  const { name, entry, run, instances = 1, options, control = false, overlap = false } = service ?? {}
  if (typeof name !== 'string' || name === '') throw invalid(`${at}.name`, 'must be a text', name)
  if (!Number.isSafeInteger(instances) || instances < 1) {
    throw invalid(`${at}.instances`, 'must be a positive integer', instances)
  }
  for (const [what, value] of Object.entries({ control, overlap })) {
    if (typeof value !== 'boolean') throw invalid(`${at}.${what}`, 'must be true or false', value)
  }
  if (run !== undefined && (typeof run !== 'function' || entry !== undefined)) {
    throw invalid(`${at}.run`, 'must be a function, and is there in place of an entry', run)
  }
  const file = run ? undefined : findModuleFile(entry, base)
  if (!run && file === undefined) throw invalid(`${at}.entry`, 'must be the path or URL of a file that exists', entry)
  return { name: prefix + name, file, count: instances, options, control, overlap }
}

/** Services as the plan knows them. */
export function plannedServices(services: readonly ResolvedService[]): PlanState['services'] {
  return services.map(({ name, count, overlap }) => ({ name, count, ...(overlap ? {} : { alone: true }) }))
}
