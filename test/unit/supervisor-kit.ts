import type { Test } from 'tap'
import type { Connection } from '#core/channel/server.js'
import { type MapacheOptions, normaliseOptions } from '#core/options.js'
import type { ExitStatus } from '#core/supervisor/launch/launcher.js'
import { takeMessage } from '#core/supervisor/messages.js'
import type { Peer } from '#core/supervisor/processes.js'
import { Supervisor, type SupervisorParts } from '#core/supervisor/supervisor.js'

/** A supervisor whose processes are fakes, moved on by hand, and that binds and listens on nothing. */
export class Staged {
  readonly supervisor: Supervisor
  readonly log: string[] = []
  readonly #ends = new Map<number, (status: ExitStatus) => void>()

  constructor(t: Test, options: MapacheOptions = {}) {
    const note = (...args: unknown[]) => void this.log.push(String(args.at(-1)))
    const logger = { debug: note, info: note, warn: note, error: note, child: () => logger }
    const parts: SupervisorParts = {
      name: 'staged',
      source: { script: process.argv[1] as string, args: [], execArgv: [], cwd: process.cwd() },
      settings: normaliseOptions({ settle: 0, ...options }),
      modules: { services: [], workers: [], fallback: undefined, primes: undefined },
      folder: { path: t.testdirName, socket: '', noteSockets() {}, remove() {} } as never,
      listeners: { all: [], addresses: [], sockets: [], closeDescriptors: () => [] } as never,
      launcher: {
        launch: (spec, { exited }) => {
          this.#ends.set(spec.id, exited)
          return { pid: undefined, kill: () => this.exit(spec.id), sendListener: async () => {} }
        }
      },
      log: logger as never,
      leaving: () => false,
      env: {},
      fixed: {}
    }
    this.supervisor = new Supervisor(parts)
    t.teardown(() => this.supervisor.stop('now'))
  }

  /** Starts, until all workers serve. */
  async start(): Promise<void> {
    const started = this.supervisor.start()
    this.settle()
    await started
  }

  /** Lets every process boot and serve that is to, until nothing more follows from it. */
  settle(): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const { member } of this.supervisor.processes.all) {
        if (member.state === 'launching') this.say(member.id, { type: 'ready' })
        else if (member.state === 'ready' && member.activatedAt !== undefined) {
          this.say(member.id, { type: 'serving', addresses: [] })
        } else continue
        moved = true
      }
    }
  }

  say(id: number, message: Parameters<typeof takeMessage>[2]): void {
    const peer = this.supervisor.processes.get(id) as Peer
    const connection = { admission: { role: peer.member.role, peer }, send() {} }
    takeMessage(this.supervisor, connection as unknown as Connection<Peer>, message)
  }

  exit(id: number): void {
    setImmediate(() => {
      this.#ends.get(id)?.({ code: 0, signal: null })
      this.#ends.delete(id)
    })
  }

  /** `1 g1 serving`, for each process. */
  get shown(): string[] {
    return this.supervisor.processes.all.map(({ member }) => `${member.id} g${member.generation} ${member.state}`)
  }
}
