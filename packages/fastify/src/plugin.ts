import type { MapacheOptions } from '@mapache/core'
import { normaliseOptions } from '@mapache/core/adapter'
import { type WorkerHandle, worker } from '@mapache/core/worker'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { takeOverLate } from './takeover.js'

export type MapachePluginOptions = MapacheOptions

declare module 'fastify' {
  interface FastifyInstance {
    /** The worker that this app runs in; with safe defaults when it runs alone. */
    mapache: WorkerHandle
  }
}

/**
 * `fastify.register(mapache, options)`, then `fastify.listen(...)` as always: `listen` makes this process the supervisor
 * and the app is built in its workers. Nothing happens before: `ready()` and `inject()` stay ordinary.
 */
export const mapache = fp(
  async (fastify: FastifyInstance, options: MapachePluginOptions) => {
    normaliseOptions(options)
    decorate(fastify)
    takeOverLate(fastify, options)
  },
  { name: '@mapache/fastify', fastify: '5.x' }
)

/** Gives the app its `mapache`. */
export function decorate(fastify: FastifyInstance): void {
  if (!fastify.hasDecorator('mapache')) fastify.decorate('mapache', worker)
}
