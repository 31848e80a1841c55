import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { VitalsData } from '../channel/messages.js'
import type { Connections } from './connections.js'

/** Reads a worker's vitals, each time since the last. */
export class Vitals {
  // Each sample is a timer: at this resolution an idle worker is woken ten times a second.
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  #utilisation: EventLoopUtilization = performance.eventLoopUtilization()

  constructor() {
    this.#delay.enable()
  }

  stop(): void {
    this.#delay.disable()
  }

  /** @param listening whether it still listens on every address that it came to serve */
  read(servers: readonly Connections[], listening: boolean): VitalsData {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, this.#utilisation)
    const delayP99 = this.#delay.count > 0 ? Math.max(0, this.#delay.percentile(99) / 1e6 - RESOLUTION) : 0
    const { rss, heapUsed } = process.memoryUsage()
    this.#utilisation = now
    this.#delay.reset()
    const sum = (of: (server: Connections) => number) => servers.reduce((total, server) => total + of(server), 0)
    return {
      requests: sum(({ requests }) => requests),
      inFlight: sum(({ inFlight }) => inFlight),
      connections: sum(({ open }) => open.length),
      listening,
      utilisation: Number.isFinite(utilization) ? utilization : 0,
      delayP99,
      rss,
      heapUsed
    }
  }
}

/** Milliseconds. */
const RESOLUTION = 100
