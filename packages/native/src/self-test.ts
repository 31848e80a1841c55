import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { supported } from './binding.js'
import { integer } from './check.js'
import { isPassed, notePassed } from './self-test/cache.js'

export interface SelfTestOptions {
  /** Milliseconds that all of it may take; 20,000 if not given. */
  timeout?: number
  /** The folder that remembers what passed; if not given `$XDG_CACHE_HOME/mapache`, or `~/.cache/mapache`. */
  cache?: string
}

export type SelfTestResult = { ok: true; cached: boolean } | { ok: false; reason: string }

/**
 * Tries whether forked processes live on this machine, with this Node.js: a process of its own, under load, forks some,
 * each of which collects garbage, compiles, reads, resolves, hashes, fetches, starts threads and programs, and ends. Takes
 * seconds. What passed is remembered for this Node.js, addon and kernel; what failed is not.
 *
 * @returns what failed if not, in words. Never rejects
 */
export async function selfTest(options: SelfTestOptions = {}): Promise<SelfTestResult> {
  const timeout = integer(options.timeout ?? TIMEOUT, 1, 'timeout')
  const support = supported()
  if (!support.ok) return support
  if (isPassed(options.cache)) return { ok: true, cached: true }
  const reason = await run(timeout)
  if (reason !== undefined) return { ok: false, reason: `forked processes do not work here: ${reason}` }
  notePassed(options.cache)
  return { ok: true, cached: false }
}

/** Runs self-test/main.js. @returns what failed */
function run(timeout: number): Promise<string | undefined> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const main = fileURLToPath(new URL('self-test/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, String(timeout)], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const progress = new Progress()
  const killAll = () => {
    for (const pid of [...progress.running.keys(), child.pid]) kill(pid)
  }
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    progress.read(text)
    if (progress.fault !== undefined) killAll()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return new Promise((resolve) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      killAll()
      // Whatever holds on to the pipes still is not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
    }, timeout)
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (progress.fault !== undefined) resolve(progress.fault)
      else if (late) resolve(`${progress.whereItStands()} took more than ${timeout} ms`)
      else if (code === 0 && progress.done) resolve(undefined)
      else resolve(`the test ended with ${signal ?? `code ${code}`}: ${errors.trim()}`)
    })
  })
}

/** What the test says of itself, line by line: see self-test/main.ts. */
class Progress {
  /** The forked processes that have not been reaped, and what each does. */
  readonly running = new Map<number, string>()
  fault: string | undefined
  done = false
  #rest = ''

  read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const [, word, pid, detail = ''] = /^(\w+)(?: (\d+))? ?(.*)$/.exec(line) ?? []
      // The process itself may have been faster.
      if (word === 'forked' && !this.running.has(Number(pid))) this.running.set(Number(pid), 'coming up')
      else if (word === 'step') this.running.set(Number(pid), detail)
      else if (word === 'reaped') this.running.delete(Number(pid))
      else if (word === 'fault') this.fault ??= detail
      else if (word === 'done') this.done = true
    }
  }

  whereItStands(): string {
    const steps = [...new Set(this.running.values())]
    return steps.length === 0 ? 'the process that forks' : `in a forked process, ${steps.join(' and ')}`
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch {
    // Gone meanwhile.
  }
}

const TIMEOUT = 20_000
