import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { parse } from 'yaml'
import { type Fixture, ROOT, start, startCli } from '../support/fixture.js'
import { install } from '../support/forking.js'
import type { Block } from './markdown.js'
import { ask, freePort, reload, STOPPED, stop } from './server.js'

/** Somebody who does what a page says. */
export class Reader {
  readonly #t: Test
  readonly #folder: string
  #port = 0
  #server: Fixture | undefined

  constructor(t: Test) {
    this.#t = t
    // Within the workspace, so that imports are found.
    this.#folder = t.testdir()
  }

  async use(blocks: readonly Block[]): Promise<void> {
    this.#port = await freePort()
    // A page that tells its reader to install it.
    if (blocks.some(({ text }) => text.includes('npm install @mapache/native'))) install(this.#folder)
    for (const block of blocks) {
      if (block.reason === undefined) await this.#t.test(`${block.at} ${block.language}`, (t) => this.#useOne(t, block))
    }
    await this.#stop(this.#t)
  }

  async #useOne(t: Test, block: Block): Promise<void> {
    const { language, words } = block
    switch (language) {
      case 'js':
        await this.#script(t, block)
        break
      case 'sh':
        if ('start' in words) await this.#command(t, block)
        else await this.#shell(t, block)
        break
      case 'ts':
        this.#types(t, block)
        break
      case 'json':
        t.ok(JSON.parse(block.text))
        break
      case 'yaml':
        t.ok(parse(block.text))
        break
      default:
        t.ok(elsewhere.includes(language), `a block of ${language} is marked no-run, or something is done with it`)
    }
    if (this.#server && words.prints) await this.#server.printed(pattern(words.prints))
    if (this.#server && words.answers) t.match((await ask(this.#port)).text, pattern(words.answers))
  }

  async #script(t: Test, block: Block): Promise<void> {
    const { file = `block-${block.at.replace(/^.*:/, '')}.mjs`, ...words } = block.words
    const starts = !('file' in block.words) || 'start' in words
    this.#write(file, block.text)
    if (!starts) {
      const { status, stderr } = spawnSync(process.execPath, ['--check', file], { cwd: this.#folder, timeout: 30_000 })
      t.equal(status, 0, String(stderr))
      return
    }
    await this.#stop(t)
    // Of the page's test, not of the block's: it goes on until the next one.
    await this.#serve(t, start(this.#t, path.join(this.#folder, file), { cwd: this.#folder, env: this.#env }))
  }

  async #command(t: Test, { text }: Block): Promise<void> {
    const [, args] = /^npx mapache start (.*)\n$/.exec(text) ?? []
    if (args === undefined) return void t.fail(`cannot start ${text}`)
    await this.#stop(t)
    await this.#serve(t, startCli(this.#t, args.split(' '), { cwd: this.#folder, env: this.#env }))
  }

  async #shell(t: Test, { text }: Block): Promise<void> {
    const server = this.#server
    // Waits for what it does to be done, as a reader would.
    if (server && /^kill -HUP \$PID$/m.test(text)) {
      this.#run(t, text.replace('kill -HUP $PID', ':'))
      return reload(server)
    }
    this.#run(t, text)
  }

  #run(t: Test, text: string): void {
    const bin = path.join(ROOT, 'node_modules/.bin')
    const env = {
      ...process.env,
      ...this.#env,
      // The commands find the page's own cluster, and no other.
      ...(this.#server ? { XDG_RUNTIME_DIR: this.#server.folder, TMPDIR: this.#server.folder } : {}),
      PATH: `${bin}:${process.env.PATH}`,
      PID: String(this.#server?.pid ?? '')
    }
    const options = { cwd: this.#folder, env, encoding: 'utf8', timeout: 30_000 } as const
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', this.#withPort(text)], options)
    t.equal(status, 0, `${stdout}${stderr}`)
  }

  #types(t: Test, { text, at }: Block): void {
    const file = `block-${at.replace(/^.*:/, '')}.mts`
    this.#write(file, text)
    const options =
      '--ignoreConfig --noEmit --strict --module nodenext --target es2022 --skipLibCheck --types node'.split(' ')
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, file], {
      cwd: this.#folder,
      timeout: 60_000
    })
    t.equal(status, 0, String(stdout))
  }

  async #serve(t: Test, server: Fixture): Promise<void> {
    this.#server = server
    await server.serving()
    t.match(await ask(this.#port), { status: 200 })
  }

  async #stop(t: Test): Promise<void> {
    if (this.#server) t.strictSame(await stop(this.#server), STOPPED, 'it stops, and nothing is left')
    this.#server = undefined
  }

  #write(file: string, text: string): void {
    const target = path.join(this.#folder, file)
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, this.#withPort(text))
  }

  #withPort(text: string): string {
    return text.replaceAll(/\b3000\b/g, String(this.#port))
  }

  get #env(): NodeJS.ProcessEnv {
    return { PWD: this.#folder }
  }
}

function pattern(text: string): RegExp {
  return new RegExp(text)
}

/** Looked at by deploying.test.ts, or by nobody. */
const elsewhere = ['ini', 'dockerfile', 'nginx']
