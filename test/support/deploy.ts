import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Fixture, get, type Test, until } from './fixture.js'

/** The entry of an app that answers with its version, as `mapache start` runs it. */
export function versionApp(version: string, more = ''): string {
  return `import http from 'node:http'
http.createServer((_req, res) => res.end('${version}')).listen({ port: Number(process.env.PORT ?? 0), host: '127.0.0.1' })
${more}`
}

/** Writes a file in one step, so that nobody reads half of it. */
export function put(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
  return file
}

/** Points a symlink elsewhere in one step. */
export function point(link: string, target: string): void {
  rmSync(`${link}.new`, { force: true })
  symlinkSync(target, `${link}.new`)
  renameSync(`${link}.new`, link)
}

/** Asks again and again on new connections; each that is not answered, or not with one of the versions, is kept. */
export class Watch {
  wrong: string[] = []
  answered = 0
  allowed: string[]
  #running = true
  readonly #done: Promise<void>

  constructor(t: Test, port: number, ...allowed: string[]) {
    this.allowed = allowed
    this.#done = this.#run(port)
    t.teardown(() => this.stop())
  }

  /** @returns what went wrong */
  async stop(): Promise<string[]> {
    this.#running = false
    await this.#done
    return this.wrong
  }

  /** Waits until so many more were answered. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count
    await until(() => this.answered >= enough || this.wrong.length > 0, 'answers')
  }

  async #run(port: number): Promise<void> {
    while (this.#running) {
      try {
        const { body, status } = await get(port)
        this.answered += 1
        if (status !== 200 || !this.allowed.includes(body)) this.wrong.push(`${status} ${body}`)
      } catch (error) {
        this.wrong.push((error as Error).message)
      }
    }
  }
}

/** Sends SIGHUP and waits for the reload's end. @returns the phase of its failure, or `done` */
export async function reload(fixture: Fixture): Promise<string> {
  const from = fixture.output.length
  fixture.kill('SIGHUP')
  const [, phase] = await fixture.printed(/reload failed \((\w+)\)|reloaded: gen=\d+ serves/, from)
  return phase ?? 'done'
}
