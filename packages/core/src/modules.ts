import { pathToFileURL } from 'node:url'
import type { Cluster, ClusterEvents } from './cluster.js'
import { type ErrorData, MapacheError } from './errors.js'
import { findModuleFile } from './module-file.js'
import { type ResolvedService, resolveService, type ServiceOption, type ServiceSpec } from './services.js'
import { show } from './show.js'

export type { ServiceSpec }

/** What a module may bring. Everything beside the core is one: a shell, metrics, your own. */
export interface MapacheModule {
  /** Its name in logs and messages; one module a name. */
  name: string
  /** Helper processes that are supervised like workers. */
  services?: readonly ServiceSpec[]
  /** Messages that workers and services may send to the supervisor, by name. */
  messages?: Readonly<Record<string, MessageSpec>>
  /** Path or URL of a module that each worker loads ahead of the app. */
  worker?: string | URL
  /**
   * Path or URL of a module that serves in place of an app that does not boot or has crashed, until the next reload: its
   * default export gets what failed and returns a request listener. With it, such an app is not started again by itself.
   */
  fallback?: string | URL
  /**
   * The module decides what processes are kept ready, by `cluster.prime()`, and how workers come from them: `fork` needs
   * @mapache/native, `auto` forks them where that can be done, `standby` never does. Generations get no molds of their own
   * then.
   */
  primes?: 'auto' | 'fork' | 'standby'
  /** Listeners for the cluster's events, in the supervisor. What they throw is logged and harms nobody. */
  on?: { readonly [Event in keyof ClusterEvents]?: (event: ClusterEvents[Event][0], cluster: Cluster) => void }
}

export interface MessageSpec {
  /** Which roles may send it; default: both. */
  from?: readonly ('worker' | 'service')[]
  /** Checks the data and returns it, or throws: then the message is refused and logged. Required: the sender may be anything. */
  check(data: unknown): unknown
  /** Takes the message, in the supervisor. */
  receive(data: never, sender: MessageSender, cluster: Cluster): void
}

/** Who sent a module's message. */
export interface MessageSender {
  readonly role: 'worker' | 'service'
  readonly id: number
  readonly name: string
  readonly generation: number
  /** Answers that process alone, with a message of the same module. */
  send(message: string, data: unknown): void
}

/** What the fallback's function gets. */
export interface Failure {
  generation: number
  /** `boot`: it did not come to serve; `crash`: it had served. */
  phase: 'boot' | 'crash'
  /** What ended it, as plain data. */
  error: ErrorData
  /** The working directory and the script of the app. */
  cwd: string
  entry: string
}

/** What modules bring, found and checked. */
export interface ResolvedModules {
  services: ResolvedService[]
  /** URLs of what each worker loads ahead of the app. */
  workers: string[]
  /** URL of what serves in place of an app that has failed. */
  fallback: string | undefined
  primes: MapacheModule['primes']
}

/**
 * Checks the modules and the services, and finds the files that they name.
 * @param base the folder that relative entries start from
 * @param own the option `services`
 * @throws MAPACHE_MODULE_INVALID, MAPACHE_OPTION_INVALID
 */
export function resolveModules(
  modules: readonly MapacheModule[],
  base: string,
  own: readonly ServiceOption[] = []
): ResolvedModules {
  const services = resolveServices(modules, base, own)
  const urls = (what: 'worker' | 'fallback') => {
    return modules.flatMap((module, index) => {
      return module[what] === undefined ? [] : [urlOf(`modules[${index}].${what}`, module[what], base)]
    })
  }
  for (const [index, { primes }] of modules.entries()) {
    const at = `modules[${index}].primes`
    if (primes !== undefined && !PRIMES.has(primes)) throw invalid(at, "must be 'auto', 'fork' or 'standby'", primes)
  }
  const fallback = onlyOne(modules, 'fallback') && urls('fallback')[0]
  return { services, workers: urls('worker'), fallback, primes: onlyOne(modules, 'primes')?.primes }
}

/** The URL of a file that a module names. What a URL says beside where the file is, is kept. */
function urlOf(at: string, given: unknown, base: string): string {
  const file = findModuleFile(given, base)
  if (!file) throw invalid(at, 'must be the path or URL of a file that exists', given)
  const search = String(given).startsWith('file:') ? new URL(String(given)).search : ''
  return pathToFileURL(file).href + search
}

/** The one module that has it, if any has. */
function onlyOne(modules: readonly MapacheModule[], what: 'fallback' | 'primes'): MapacheModule | undefined {
  const [first, second] = modules.filter((module) => module[what] !== undefined)
  if (!second) return first
  throw invalid(`modules[${modules.indexOf(second)}].${what}`, `is of module ${first?.name} already`, second[what])
}

function resolveServices(
  modules: readonly MapacheModule[],
  base: string,
  given: readonly ServiceOption[]
): ResolvedService[] {
  const names = new Set<string>()
  const services = new Set<string>()
  const add = (resolved: ResolvedService, at: string, name: string, wrong: typeof invalid) => {
    if (services.has(resolved.name)) throw wrong(`${at}.name`, 'is the name of another service already', name)
    services.add(resolved.name)
    return resolved
  }
  const ofOption = given.map((service, nth) => {
    const at = `services[${nth}]`
    return add(resolveService(at, '', service, base, wrongOption), at, service.name, wrongOption)
  })
  const ofModules = modules.flatMap((module, index) => {
    const at = `modules[${index}]`
    if (module === null || typeof module !== 'object') throw invalid(at, 'must be an object', module)
    if (typeof module.name !== 'string' || module.name === '')
      throw invalid(`${at}.name`, 'must be a text', module.name)
    if (names.has(module.name)) throw invalid(`${at}.name`, 'is the name of another module already', module.name)
    names.add(module.name)
    checkListeners(at, module)
    checkMessages(at, module)
    const { services: own = [] } = module
    if (!Array.isArray(own)) throw invalid(`${at}.services`, 'must be an array', own)
    return own.map((service: ServiceSpec, nth) => {
      const where = `${at}.services[${nth}]`
      // Of what a module brings the app's own script knows nothing.
      if (service && 'run' in service) throw invalid(`${where}.run`, 'is not for modules: give an entry', service.run)
      return add(resolveService(where, `${module.name}/`, service, base, invalid), where, service.name, invalid)
    })
  })
  return [...ofOption, ...ofModules]
}

function checkListeners(at: string, module: MapacheModule): void {
  for (const [event, listener] of Object.entries(module.on ?? {})) {
    if (typeof listener !== 'function') throw invalid(`${at}.on['${event}']`, 'must be a function', listener)
  }
}

function checkMessages(at: string, module: MapacheModule): void {
  for (const [name, spec] of Object.entries(module.messages ?? {})) {
    if (typeof spec?.check !== 'function' || typeof spec.receive !== 'function') {
      throw invalid(`${at}.messages['${name}']`, 'must have the functions check and receive', spec)
    }
  }
}

function wrongOption(at: string, must: string, got: unknown): MapacheError {
  return new MapacheError('MAPACHE_OPTION_INVALID', `${at} ${must}, got ${show(got)}`)
}

function invalid(at: string, must: string, got: unknown): MapacheError {
  return new MapacheError('MAPACHE_MODULE_INVALID', `${at} ${must}, got ${show(got)}`)
}

const PRIMES: ReadonlySet<unknown> = new Set(['auto', 'fork', 'standby'])
