import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Cluster, ClusterStatus, LogLine, ProcessInfo } from '@mapache/core'
import type { Overview } from '#metrics/overview.js'
import { dashboard, type PageOptions } from '#metrics/page/dashboard.js'
import { before, type Test } from '../support/fixture.js'

export const PASSWORD = 'a pässword'

/** A cluster that does as a test says, with the dashboard before it, served by a real server that can be replaced. */
export class Scene {
  port = 0
  readonly calls: string[] = []
  readonly audits: string[] = []
  readonly tried: { password: string; address: string }[] = []
  readonly log: LogLine[] = []
  status: ClusterStatus
  time = 1_790_000_000_000
  requests = 0
  /** What the next call of an action throws. */
  failure: Error | undefined
  /** What the credential answers to a wrong password. */
  retryAfter: number | undefined
  /** How often someone began to follow the cluster, less how often one ended. */
  watching = 0
  readonly cluster = new EventEmitter()
  #update: ((overview: Overview) => void) | undefined
  #server: http.Server | undefined
  #retire = new AbortController()

  constructor(
    t: Test,
    readonly options: Partial<PageOptions> = {}
  ) {
    this.status = statusOf([worker(1), worker(2)])
    const call = (name: string) => async (argument?: number) => {
      this.calls.push(argument === undefined ? name : `${name} ${argument}`)
      if (this.failure) throw this.failure
    }
    for (const name of ['reload', 'refork', 'rollback', 'scale', 'recycle']) {
      Object.assign(this.cluster, { [name]: call(name) })
    }
    Object.assign(this.cluster, { status: async () => this.status, tail: async () => this.log })
    t.teardown(() => this.leave())
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  /** Serves, on the port of before; what served there leaves first. */
  async serve(more: Partial<PageOptions> = {}): Promise<void> {
    await this.leave()
    this.#retire = new AbortController()
    const answer = dashboard({
      overview: () => this.overview(),
      onUpdate: (fn) => {
        this.#update = fn
        this.watching += 1
        return () => {
          this.#update = undefined
          this.watching -= 1
        }
      },
      cluster: this.cluster as unknown as Cluster,
      credential: {
        verify: async (password, address) => {
          this.tried.push({ password, address })
          return password === PASSWORD ? { ok: true } : { ok: false, retryAfter: this.retryAfter }
        }
      },
      // As the supervisor does with what a service logs.
      log: (level, message) => {
        this.audits.push(message)
        this.say(level, message)
      },
      retiring: this.#retire.signal,
      ...this.options,
      ...more
    })
    const server = http.createServer(async (request, response) => {
      if (!(await answer(request, response))) response.writeHead(404).end('of another')
    })
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async leave(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#retire.abort()
    if (!server) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await before(closed, () => 'the server to close')
  }

  /** Sends the next second's overview. */
  tick(change: Partial<ClusterStatus> = {}): void {
    this.time += 1_000
    Object.assign(this.status, change)
    this.#update?.(this.overview())
  }

  /** A line of Mapache's log. */
  say(level: LogLine['level'], message: string, error?: string): void {
    const line: LogLine = { time: this.time, level, message, ...(error === undefined ? {} : { error }) }
    this.log.push(line)
    this.cluster.emit('log', line)
  }

  overview(): Overview {
    const workers = this.status.processes.filter(({ role }) => role === 'worker')
    return {
      time: this.time,
      status: structuredClone(this.status),
      cluster: { requestsPerSecond: this.requests, p99: this.requests ? 25 : undefined, inFlight: 3, connections: 40 },
      workers: workers.map(({ id, generation, place }) => ({
        id,
        generation,
        place,
        requestsPerSecond: this.requests / workers.length,
        p99: this.requests ? 25 : undefined,
        inFlight: 1
      })),
      totals: {
        requests: 123_456,
        serverErrors: 2,
        aborted: 1,
        crashes: 0,
        restarts: 0,
        reloads: { done: 3, failed: 1, rolledback: 0 }
      },
      ready: { ok: true, reason: '' }
    }
  }
}

export function worker(id: number, change: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    id,
    role: 'worker',
    name: '',
    generation: 1,
    place: id,
    state: 'serving',
    pid: 4_700 + id,
    inState: 60_000,
    age: 61_000,
    failures: 0,
    reason: undefined,
    memory: { pss: 48_000_000, own: 31_000_000 },
    vitals: {
      requests: 100,
      inFlight: 1,
      connections: 10,
      listening: true,
      utilisation: 0.4,
      delayP99: 12,
      rss: 120_000_000,
      heapUsed: 40_000_000
    },
    ...change
  }
}

export function statusOf(processes: ProcessInfo[], change: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    name: 'shop',
    pid: 4_700,
    version: '0.1.0',
    startedAt: 1_790_000_000_000 - 7_200_000,
    generation: 1,
    target: 2,
    serving: 2,
    spare: { target: 0, ready: 0 },
    scaling: undefined,
    waiting: 0,
    services: [],
    rollback: undefined,
    roll: undefined,
    forked: false,
    canFork: false,
    stopping: false,
    crashes: [],
    addresses: [{ address: '127.0.0.1', family: 'IPv4', port: 3_000 }],
    processes,
    ...change
  }
}
