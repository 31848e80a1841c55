import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** What of @mapache/native is used here; its own types say more of it. */
export interface Native {
  supported(): { ok: true } | { ok: false; reason: string }
  prepare(): void
  fork(): number
  becomeSubreaper(): void
  reap(pid: number): { code: number | null; signal: NodeJS.Signals | null } | undefined
  socketPair(): [number, number]
  sendDescriptors(socket: number, descriptors: readonly number[]): void
  receiveDescriptors(socket: number): number[]
  closeDescriptor(descriptor: number): void
  watchdog(options: { supervisor: number; limit: number; stack?: string }): () => void
  selfTest(): Promise<{ ok: true; cached: boolean } | { ok: false; reason: string }>
}

/** @mapache/native as the app has it. */
export interface FoundNative {
  native: Native
  /** Where the app's processes import it from. */
  url: string
}

/**
 * Finds @mapache/native where the app itself has it installed: whether production forks is the app's choice, and not that
 * of whoever brought the core.
 * @param file of the app: a script or a module
 * @returns undefined when it is not installed
 */
export async function findNative(file: string): Promise<FoundNative | undefined> {
  const script = path.resolve(file)
  // Not by NODE_PATH: pnpm's commands come with one in which the packages of all others are found, too.
  if (process.versions.pnp === undefined && !isChosen(ancestors(script))) return undefined
  let found: string
  try {
    found = createRequire(script).resolve('@mapache/native')
  } catch {
    return undefined
  }
  const url = pathToFileURL(found).href
  return { native: await importNative(url), url }
}

function ancestors(file: string): string[] {
  const folder = path.dirname(file)
  return folder === file ? [] : [folder, ...ancestors(folder)]
}

/** Whether the app has it, and asked for it: npm puts what other packages brought into the same folder. */
function isChosen(folders: readonly string[]): boolean {
  const top = folders.findIndex(hasNative)
  const manifests = folders
    .slice(0, top + 1)
    .map(manifestOf)
    .filter((manifest) => manifest !== undefined)
  return top !== -1 && (manifests.length === 0 || manifests.some(asksForNative))
}

function asksForNative(manifest: Record<string, unknown>): boolean {
  return KINDS.some((kind) => Object.hasOwn((manifest[kind] as object | null) ?? {}, '@mapache/native'))
}

function manifestOf(folder: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function hasNative(folder: string): boolean {
  return existsSync(path.join(folder, 'node_modules/@mapache/native/package.json'))
}

/** @param url as in `FoundNative` */
export async function importNative(url: string): Promise<Native> {
  return (await import(url)) as Native
}

const KINDS = ['dependencies', 'optionalDependencies', 'devDependencies', 'peerDependencies']
