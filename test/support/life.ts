import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ClusterStatus } from '@mapache/core'
import { Fixture, type FixtureOptions, get, type Test, until } from './fixture.js'

/** An event of the cluster, with its status at that moment. */
export interface Recorded {
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own data
  data: any
  status: ClusterStatus
}

/** An error as the fixture tells it. */
export interface Told {
  name: string
  message: string
  stack: string
  code?: string
  phase?: string
  fix?: string
  cause?: Told
}

export interface LifeOptions extends FixtureOptions {
  /** Options of Mapache. */
  options?: object
  /** A fixture other than life/http.mjs. */
  script?: string
}

/** A cluster whose supervisor the test can ask and command, and whose app waits where the test asks it to. */
export class Life extends Fixture {
  readonly #own: string

  constructor(t: Test, { options, script = 'life/http.mjs', ...rest }: LifeOptions = {}) {
    const own = mkdtempSync(path.join(tmpdir(), 'mp-life-'))
    const env = {
      GATE: own,
      CONTROL: path.join(own, 'control.sock'),
      OPTIONS: JSON.stringify(options ?? {}),
      ...rest.env
    }
    super(t, script, { ...rest, env })
    this.#own = own
    t.teardown(() => rmSync(own, { recursive: true, force: true }))
  }

  /** Calls a method of the cluster, in the supervisor. @throws what it rejects with, as `Told` */
  async call<Value = unknown>(method: string, ...args: unknown[]): Promise<Value> {
    return this.#ask(`/${encodeURIComponent(JSON.stringify([method, ...args]))}`) as Promise<Value>
  }

  async status(): Promise<ClusterStatus> {
    return this.call<ClusterStatus>('status')
  }

  /** What the cluster's own properties say. */
  async cluster(): Promise<{ role: string; generation: number; workers: { pid: number }[]; addresses: unknown[] }> {
    return this.#ask('/cluster') as never
  }

  /** All events so far, in their order. */
  async events(): Promise<Recorded[]> {
    return this.#ask('/events') as Promise<Recorded[]>
  }

  /** Waits until so many events of that name were seen. @returns the last one */
  async event(name: string, count = 1): Promise<Recorded> {
    let found: Recorded[] = []
    await until(
      async () => {
        found = (await this.events()).filter((event) => event.name === name)
        return found.length >= count
      },
      `${count} ${name}`,
      () => this.output
    )
    return found[count - 1] as Recorded
  }

  /** Puts a file that the app looks for: see test/fixtures/life/app.mjs. */
  put(name: string): void {
    writeFileSync(path.join(this.#own, name), '')
  }

  remove(name: string): void {
    rmSync(path.join(this.#own, name))
  }

  has(name: string): boolean {
    return existsSync(path.join(this.#own, name))
  }

  async #ask(at: string): Promise<unknown> {
    const socketPath = path.join(this.#own, 'control.sock')
    // It opens with the first event.
    await until(() => existsSync(socketPath) || this.exited, 'the control socket')
    const { value, error } = JSON.parse((await get({ socketPath }, at)).body) as { value: unknown; error?: Told }
    if (error) throw Object.assign(new Error(error.message), error)
    return value
  }
}
