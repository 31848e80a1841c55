import { subscribe } from 'node:diagnostics_channel'
import net, { type AddressInfo, type Server } from 'node:net'
import type { BoundAddress, Cluster, MapacheOptions } from '@mapache/core'
import {
  checkOf,
  currentRuntime,
  type HealthOption,
  type ListenCallback,
  markMain,
  normaliseOptions,
  observed,
  ownEntry,
  parseListen,
  reportedOptions,
  runOwn,
  supervise
} from '@mapache/core/adapter'
import type { FastifyInstance } from 'fastify'
import { mapache } from './plugin.js'

type Listen = (...args: unknown[]) => unknown

interface Known {
  listen: Listen
  /** The options that `mapache` was registered with, once it was. */
  options?: object
  /** `listen` was called before `mapache` was registered. */
  passed: boolean
}

/** Watches for new Fastify instances, which Fastify announces, and wraps their `register` and `listen`. */
export function trackInstances(): void {
  if ((globalThis as { [TRACKING]?: true })[TRACKING]) return
  Object.defineProperty(globalThis, TRACKING, { value: true })
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { fastify: FastifyInstance }
    const known: Known = { listen: fastify.listen as unknown as Listen, passed: false }
    instances.set(fastify, known)
    const register = fastify.register as unknown as Listen
    fastify.register = function (this: FastifyInstance, plugin: unknown, options: unknown) {
      if (isMapache(plugin)) known.options = (typeof options === 'function' ? {} : options) ?? {}
      return register.apply(this, [plugin, options])
    } as never
    fastify.listen = function (this: FastifyInstance, ...args: unknown[]) {
      if (known.options === undefined) {
        known.passed = true
        return known.listen.apply(this, args)
      }
      const runtime = currentRuntime()
      if (runtime && runtime.role !== 'worker') return runOwn(runtime, normaliseOptions(known.options))
      runtime?.needSetup((known.options as MapacheOptions).setup)
      return runtime ? serve(fastify, known, args) : becomeSupervisor(fastify, known.options, args)
    } as never
  })
}

/** Listens with the instance's own `listen`, for callers that have made this process a worker's already. */
export async function listenAlone(fastify: FastifyInstance, address: object): Promise<void> {
  const listen = instances.get(fastify)?.listen ?? (fastify.listen as unknown as Listen)
  markMain(fastify.server)
  await listen.call(fastify, address)
}

/**
 * For an instance that is older than this module, or that registered `mapache` within another plugin: it is known only
 * when it boots, so its `listen` could not be caught, and its server's is. The app has then been built in the supervisor
 * as well.
 */
export function takeOverLate(fastify: FastifyInstance, options: object): void {
  const known = rootOf(fastify)
  if (known && !known.passed) return
  const runtime = currentRuntime()
  const { setup, teardown } = options as MapacheOptions
  if (runtime && runtime.role !== 'worker') {
    const settings = normaliseOptions(options)
    fastify.server.listen = (() => void runOwn(runtime, settings)) as never
    return
  }
  if (runtime) {
    runtime.needSetup(setup)
    runtime.manage(reportedOptions(options), () => fastify.close(), { teardown: teardown !== undefined })
    addHealth(fastify, options)
    markMain(fastify.server)
    fastify.addHook('onListen', async () => runtime.serving())
    return
  }
  const server = fastify.server as Server
  const listen = server.listen as Listen
  let taken = false
  server.listen = function (this: Server, ...args: unknown[]) {
    if (taken) return listen.apply(this, args)
    taken = true
    const { callback } = parseListen(args)
    superviseFor(fastify, options, args).then(
      ({ addresses }) => {
        const [first] = addresses
        server.address = () => (first && 'path' in first ? first.path : (first ?? null))
        keepFromListening(addresses)
        if (callback) server.once('listening', callback as () => void)
        server.emit('listening')
      },
      (error) => server.emit('error', error)
    )
    return this
  } as never
}

/** Fastify goes on to open a server for each further address of localhost: they are the workers' now. */
function keepFromListening(addresses: readonly BoundAddress[]): void {
  const bound = addresses.flatMap((one) => ('port' in one ? [one] : []))
  const listen = net.Server.prototype.listen as Listen
  net.Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const { port, host } = (args[0] ?? {}) as { port?: number; host?: string }
    const taken = bound.filter((one) => one.port === port)
    if (taken.length === 0) return listen.apply(this, args)
    // Fastify prints it.
    this.address = () => taken.find(({ address }) => address === host) ?? (taken[0] as AddressInfo)
    process.nextTick(() => this.emit('listening'))
    return this
  } as never
}

/** In a worker: listens as always, and tells the runtime. */
function serve(fastify: FastifyInstance, { listen, options }: Known, args: unknown[]): unknown {
  const callback = args.findLast((arg) => typeof arg === 'function') as ListenCallback | undefined
  const runtime = currentRuntime()
  const run = async () => {
    // Not anew in a process forked from a warm worker: an instance that was closed cannot listen again.
    await runtime?.pass()
    const teardown = (options as MapacheOptions).teardown !== undefined
    runtime?.manage(reportedOptions(options), () => fastify.close(), { teardown })
    addHealth(fastify, options)
    markMain(fastify.server)
    const own = args.filter((arg) => typeof arg !== 'function')
    const address = await listen.apply(fastify, own)
    runtime?.serving()
    return address as string
  }
  // Whether or not the app's code catches it, a worker that cannot serve has failed to boot.
  const work = run().catch((error) => {
    runtime?.fail(error)
    throw error
  })
  return withCallback(work, callback)
}

/** In a worker: the option `health` gets the instance that it was given with. */
function addHealth(fastify: FastifyInstance, options: object | undefined): void {
  const { health } = (options ?? {}) as { health?: HealthOption }
  if (health) currentRuntime()?.handle.addCheck(checkOf(health, fastify))
}

function becomeSupervisor(fastify: FastifyInstance, options: object, args: unknown[]): unknown {
  const callback = args.findLast((arg) => typeof arg === 'function') as ListenCallback | undefined
  return withCallback(cluster(fastify, options, args), callback)
}

/** @returns Fastify's own answer to `listen`: the address as a URL */
async function cluster(fastify: FastifyInstance, options: object, args: unknown[]): Promise<string> {
  const { addresses } = await superviseFor(fastify, options, args)
  const [first] = addresses
  if (!first || 'path' in first) return first?.path ?? ''
  const protocol = 'setTicketKeys' in fastify.server ? 'https' : 'http'
  return `${protocol}://${first.family === 'IPv6' ? `[${first.address}]` : first.address}:${first.port}`
}

async function superviseFor(fastify: FastifyInstance, options: object, args: unknown[]): Promise<Cluster> {
  const settings = normaliseOptions(options)
  const { addresses } = parseListen(args)
  // Fastify's default, where Node's is every address.
  const named = addresses.map((one) => ('path' in one || one.host !== undefined ? one : { ...one, host: 'localhost' }))
  const supervisor = await supervise({ source: ownEntry(), settings, addresses: named })
  fastify.addresses = () => supervisor.addresses.filter((one) => 'port' in one) as never
  return supervisor
}

/** Fastify calls back with (error, address), or answers with a promise where there is no callback. */
function withCallback(work: Promise<string>, callback: ListenCallback | undefined): unknown {
  if (!callback) return observed(work)
  work.then(
    (address) => (callback as unknown as (error: null, address: string) => void)(null, address),
    (error) => callback(error as Error)
  )
  return undefined
}

function isMapache(plugin: unknown): boolean {
  return plugin === mapache || (plugin as { default?: unknown } | null)?.default === mapache
}

/** What is known of the instance that a plugin's instance descends from. */
function rootOf(fastify: FastifyInstance): Known | undefined {
  for (let one: object | null = fastify; one; one = Object.getPrototypeOf(one)) {
    const known = instances.get(one)
    if (known) return known
  }
  return undefined
}

const instances = new WeakMap<object, Known>()
const TRACKING = Symbol.for('mapache.fastify.tracking')
