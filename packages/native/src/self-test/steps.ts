import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { scrypt, webcrypto } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { gunzip, gzip } from 'node:zlib'

/** What a forked process has to be able to do, in this order, by the name that a failure is told by. */
export const steps: Record<string, () => unknown> = {
  'collecting garbage': collectGarbage,
  'optimising a hot function': optimise,
  'waiting for timers': waitForTimers,
  'reading files': readFiles,
  'resolving a name': () => lookup('localhost'),
  compressing: compress,
  'hashing passwords': async () => assert.equal(((await promisify(scrypt)('a', 'b', 32)) as Buffer).length, 32),
  'hashing by WebCrypto': async () => assert.equal((await webcrypto.subtle.digest('SHA-256', DATA)).byteLength, 32),
  'fetching over HTTP': fetchFromOurselves,
  'compiling WebAssembly': compileWebAssembly,
  'running a worker thread': runWorker,
  'starting a program': () => promisify(execFile)(process.execPath, ['--version']),
  'collecting garbage again': collectGarbage
}

const SELF = fileURLToPath(import.meta.url)
const DATA = Buffer.alloc(100_000, 'mapache')

/** Enough at once for V8 to mark and sweep beside us, in its threads. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let round = 0; round < 3; round += 1) {
    const kept: object[] = []
    for (let part = 0; part < 20; part += 1) {
      kept.push(Array.from({ length: 10_000 }, (_, at) => ({ at, text: `${at}` })))
      await turn()
    }
    gc()
  }
}

function optimise(): void {
  // Made here, so that it is cold.
  const sum = runInNewContext('(n) => { let s = 0; for (let i = 0; i < n; i++) s = (s + i * 7) % 1000003; return s }')
  let total = 0
  for (let round = 0; round < 300; round += 1) total += sum(10_000 + round)
  assert.ok(total > 0)
}

async function waitForTimers(): Promise<void> {
  const start = performance.now()
  await Promise.all([sleep(5), sleep(10), new Promise(process.nextTick), turn()])
  assert.ok(performance.now() - start >= 9)
}

async function readFiles(): Promise<void> {
  assert.equal(await readFile(SELF, 'utf8'), readFileSync(SELF, 'utf8'))
}

async function compress(): Promise<void> {
  const packed = await promisify(gzip)(DATA)
  assert.deepEqual(await promisify(gunzip)(packed), DATA)
}

async function fetchFromOurselves(): Promise<void> {
  const server = createServer((_request, response) => response.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
  assert.equal(await response.text(), 'hello')
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** Typed here, as the types of Node.js leave it to those of browsers. */
interface Compiler {
  compile(bytes: Uint8Array): Promise<object>
  instantiate(module: object): Promise<{ exports: { f(): number } }>
}

/** (func (export "f") (result i32) i32.const 42) */
async function compileWebAssembly(): Promise<void> {
  const code = [3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 6, 1, 4, 0, 0x41, 42, 11]
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, ...code])
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Compiler }
  const instance = await WebAssembly.instantiate(await WebAssembly.compile(bytes))
  assert.equal(instance.exports.f(), 42)
}

async function runWorker(): Promise<void> {
  const code =
    'const { parentPort } = require("node:worker_threads"); parentPort.once("message", (it) => parentPort.postMessage(it + 1))'
  const worker = new Worker(code, { eval: true })
  const answer = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  worker.postMessage(1)
  assert.equal(await answer, 2)
  await worker.terminate()
}
