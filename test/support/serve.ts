import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Answer, Fixture, type FixtureOptions, get, startCli, type Test, until } from './fixture.js'

export interface ServeOptions extends FixtureOptions {
  /** Options of Mapache, beside two workers and a short settle. */
  settings?: object
  /** The arguments of `listen`; else any port of 127.0.0.1. */
  listen?: readonly unknown[]
  /** Options of `mapache start`, which then runs the fixture. */
  cli?: readonly string[]
}

/** One of the fixtures in test/fixtures/serve, whose handlers wait for the test where it asks them to. */
export interface Serve {
  readonly fixture: Fixture
  /** Lets the handler go on that waits under this name. */
  release(name: string): void
  /** Waits until a handler waits under this name. @returns the pid of its worker */
  reached(name: string): Promise<number>
  /** Reloads. @returns when the new generation serves and the worker with this pid retires */
  reload(generation: number, retiring: number): Promise<void>
}

/** Starts a fixture of test/fixtures/serve. */
export function serve(t: Test, script: string, options: ServeOptions = {}): Serve {
  const { settings, listen, cli, ...rest } = options
  const releases = mkdtempSync(path.join(tmpdir(), 'mp-releases-'))
  t.teardown(() => rmSync(releases, { recursive: true, force: true }))
  const env: NodeJS.ProcessEnv = {
    RELEASES: releases,
    ...(settings ? { SETTINGS: JSON.stringify(settings) } : {}),
    ...(listen ? { LISTEN: JSON.stringify(listen) } : {}),
    ...rest.env
  }
  const file = path.join('serve', script)
  const fixture = cli
    ? startCli(t, [...cli, file, ...(rest.args ?? [])], { ...rest, env })
    : new Fixture(t, file, { ...rest, env })
  return {
    fixture,
    release: (name) => writeFileSync(path.join(releases, name), ''),
    reached: async (name) => Number((await fixture.printed(new RegExp(`^reached ${name} (\\d+)$`, 'm')))[1]),
    reload: async (generation, retiring) => {
      fixture.kill('SIGHUP')
      await fixture.printed(new RegExp(`reloaded: gen=${generation} serves`))
      await fixture.printed(new RegExp(`^retiring ${retiring}$`, 'm'))
    }
  }
}

/**
 * Asks until each of so many workers has answered: who takes a connection is up to the kernel.
 * @returns the answers, one of each worker, by its pid: the fixtures answer `{ pid }` and more as JSON
 */
export async function everyWorker(
  count: number,
  ask: () => Promise<Answer>
): Promise<Map<number, Record<string, unknown>>> {
  const answers = new Map<number, Record<string, unknown>>()
  await until(
    async () => {
      for (const { body } of await Promise.all(Array.from({ length: 4 }, ask))) {
        const answer = JSON.parse(body) as { pid: number }
        answers.set(answer.pid, answer)
      }
      return answers.size >= count
    },
    `answers of ${count} workers`,
    () => JSON.stringify([...answers.values()])
  )
  return answers
}

/** One of each worker's answers to `GET /`. */
export async function askAll(fixture: Fixture, count: number): Promise<Map<number, Record<string, unknown>>> {
  const port = await fixture.port()
  return everyWorker(count, () => get(port))
}
