import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Cluster, ClusterEvents } from './cluster.js'
import { type ErrorData, MapacheError } from './errors.js'
import { show } from './options.js'

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
   * The module decides what processes are kept ready, by `cluster.prime()`, and how workers come from them: `auto` forks
   * them where that can be done. Generations get no molds of their own then.
   */
  primes?: 'auto' | 'fork' | 'standby'
  /** Listeners for the cluster's events, in the supervisor. What they throw is logged and harms nobody. */
  on?: { readonly [Event in keyof ClusterEvents]?: (event: ClusterEvents[Event][0], cluster: Cluster) => void }
}

export interface ServiceSpec {
  name: string
  /** Path or URL of a module whose default export runs the service: `(service) => ...`. */
  entry: string | URL
  /** How many processes; default 1. */
  instances?: number
  /** Plain data, handed to the service as `service.options`. */
  options?: unknown
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
  phase: 'boot' | 'crash'
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

/** A service with its entry found and its count filled in. */
export interface ResolvedService {
  module: string
  /** `module/service`, unique in the cluster. */
  name: string
  file: string
  count: number
  options: unknown
}

/**
 * Checks the modules and finds the files that they name.
 * @param base the folder that relative entries start from
 * @throws MAPACHE_MODULE_INVALID
 */
export function resolveModules(modules: readonly MapacheModule[], base: string): ResolvedModules {
  const services = resolveServices(modules, base)
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

function resolveServices(modules: readonly MapacheModule[], base: string): ResolvedService[] {
  const names = new Set<string>()
  const services = new Set<string>()
  return modules.flatMap((module, index) => {
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
      const resolved = resolveService(`${at}.services[${nth}]`, module, service, base)
      const taken = services.has(resolved.name)
      if (taken) throw invalid(`${at}.services[${nth}].name`, 'is the name of another service already', service.name)
      services.add(resolved.name)
      return resolved
    })
  })
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

function resolveService(at: string, module: MapacheModule, service: ServiceSpec, base: string): ResolvedService {
  const { name, entry, instances = 1, options } = service ?? {}
  if (typeof name !== 'string' || name === '') throw invalid(`${at}.name`, 'must be a text', name)
  if (!Number.isSafeInteger(instances) || instances < 1) {
    throw invalid(`${at}.instances`, 'must be a positive integer', instances)
  }
  const file = findModuleFile(entry, base)
  if (file === undefined) throw invalid(`${at}.entry`, 'must be the path or URL of a file that exists', entry)
  return { module: module.name, name: `${module.name}/${name}`, file, count: instances, options }
}

/** The file behind a path (relative to `base`), a package's name or a file URL; undefined when there is none. */
export function findModuleFile(given: unknown, base: string): string | undefined {
  if (given instanceof URL || (typeof given === 'string' && given.startsWith('file:'))) {
    try {
      const file = fileURLToPath(given)
      return existsSync(file) ? file : undefined
    } catch {
      // A URL of another protocol, or of a file on another host.
      return undefined
    }
  }
  if (typeof given !== 'string' || given === '') return undefined
  const file = path.resolve(base, given)
  // The path as it is named, not as it resolves: a symlink in it may point elsewhere at the next reload.
  if (path.isAbsolute(given) || given.startsWith('.')) return existsSync(file) ? file : undefined
  try {
    return createRequire(path.join(base, 'noop.js')).resolve(given)
  } catch {
    return existsSync(file) ? file : undefined
  }
}

function invalid(at: string, must: string, got: unknown): MapacheError {
  return new MapacheError('MAPACHE_MODULE_INVALID', `${at} ${must}, got ${show(got)}`)
}

const PRIMES: ReadonlySet<unknown> = new Set(['auto', 'fork', 'standby'])
