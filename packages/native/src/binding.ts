import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { failure } from './failure.js'

/** What the addon has, as src/*.cc define it. It checks no types: the functions of this package do. */
export interface Binding {
  prepare(): void
  /** @returns whether Node's own threads have done, within so many milliseconds, what they had before `prepare` */
  settle(milliseconds: number): boolean
  /** Tells the threads of V8's pool to end when they are done with what they do. */
  stopPool(): void
  startPool(): void
  /** @returns whether all have ended within so many milliseconds */
  joinPool(milliseconds: number): boolean
  fork(): number
  setExitCode(code: number): void
  watchdogRuns(): boolean
  exit(code: number): never
  pid(): number
  alarm(seconds: number): void
  becomeSubreaper(): void
  reap(pid: number): [code: number, signal: number] | undefined
  exec(file: string, args: readonly string[], env: readonly string[], keep: readonly number[]): never
  socketPair(): [number, number]
  sendDescriptors(socket: number, descriptors: readonly number[]): void
  receiveDescriptors(socket: number): number[]
  closeDescriptor(descriptor: number): void
  setCloseOnExec(descriptor: number, on: boolean): void
  startWatchdog(supervisor: number, limit: number, stack: string | undefined): void
  stopWatchdog(): void
}

/** Whether this package works here, and if not, why, in words for the person who set the machine up. */
export type Support = { ok: true } | { ok: false; reason: string }

type Loaded = { ok: true; binding: Binding; file: string } | { ok: false; reason: string }

let loaded: Loaded | undefined

/**
 * Whether this platform can do what this package is for: Linux, with the addon compiled for this Node.js. Loads the
 * addon. Whether a fork survives on this machine is another question, which `selfTest` answers.
 *
 * @returns the reason if not. Never throws
 */
export function supported(): Support {
  const { ok } = load()
  return ok ? { ok } : { ok, reason: reasonOf(load()) }
}

/** The addon. Throws an error with the code ENOTSUP and the reason where there is none. */
export function binding(): Binding {
  const found = load()
  if (found.ok) return found.binding
  throw failure('ENOTSUP', found.reason)
}

/** The file of the addon. Throws as `binding` does. */
export function bindingFile(): string {
  const found = load()
  if (found.ok) return found.file
  throw failure('ENOTSUP', found.reason)
}

function reasonOf(found: Loaded): string {
  return found.ok ? '' : found.reason
}

function load(): Loaded {
  loaded ??= find()
  return loaded
}

function find(): Loaded {
  if (process.platform !== 'linux') {
    return { ok: false, reason: `@mapache/native works on Linux only, and this is ${process.platform}` }
  }
  const name = binaryName()
  const files = process.env[OVERRIDE] ? [process.env[OVERRIDE]] : FOLDERS.map((folder) => path.join(folder, name))
  const file = files.find((it) => existsSync(it))
  if (file === undefined) return { ok: false, reason: readReason(name) }
  try {
    return { ok: true, binding: createRequire(import.meta.url)(file), file }
  } catch (error) {
    return { ok: false, reason: `${file} cannot be loaded: ${(error as Error).message}` }
  }
}

/** Side by side, so that several versions of Node.js can use one installation. install.mjs gives the same names. */
function binaryName(): string {
  return `node-${process.versions.modules}-linux-${process.arch}-${libc()}.node`
}

/** Which C library this process runs with: a binary for one does not load with the other. */
function libc(): 'musl' | 'glibc' {
  try {
    return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc'
  } catch {
    return 'glibc'
  }
}

/** What install.mjs has to say of the missing binary. */
function readReason(name: string): string {
  try {
    return readFileSync(path.join(ROOT, 'binaries', `${name}.failed`), 'utf8').trim()
  } catch {
    return `@mapache/native has no binary ${name}: run "node install.mjs" in ${ROOT}, with a C++ compiler and Python 3 at hand`
  }
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['binaries', 'prebuilds'].map((folder) => path.join(ROOT, folder))
// For the tests of this package: another build of the addon.
const OVERRIDE = 'MAPACHE_NATIVE_BINARY'
