import nodeModule, { Module } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannel } from 'node:worker_threads'

/** A file that the app has loaded: imported by its URL, or required by its path. */
export type Loaded = string

interface Hooks {
  registerHooks?(hooks: {
    load(url: string, context: unknown, next: (url: string, context: unknown) => { format?: string }): object
  }): void
}

/**
 * Notes from now on each file that is loaded as a module, also one that fails: URLs of what is imported, paths of what is
 * required. No loader's thread is started for it, which a fork would have to end.
 * @param threaded whether the app has a loader with a thread, if that is how loaders are on this Node.js
 */
export function watchLoading(note: (loaded: Loaded) => void, { threaded }: { threaded: boolean }): void {
  watchRequire(note)
  const { registerHooks } = nodeModule as Hooks
  if (registerHooks) {
    registerHooks({
      load(url, context, next) {
        // Before it is loaded: the file that has an error is the one that is to be watched.
        if (url.startsWith('file:') && !isRequired(context)) note(url.replace(/[?#].*$/, ''))
        return next(url, context)
      }
    })
  } else if (threaded) {
    watchThread(note)
  } else {
    watchReads(note)
  }
}

/** Where a loader has a thread already, and reads the files there, what is noted there is told of a moment later. */
function watchThread(note: (loaded: Loaded) => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.on('message', note)
  port1.unref()
  const options = { parentURL: import.meta.url, data: { port: port2 }, transferList: [port2] }
  nodeModule.register('./loaded-hooks.js', options)
}

/** Before Node.js 22.15 nothing tells which ES modules are loaded; but each is opened, by what node:fs/promises stands on. */
function watchReads(note: (loaded: Loaded) => void): void {
  const { binding } = process as unknown as { binding(name: 'fs'): Record<string, (...args: unknown[]) => unknown> }
  const fs = binding.call(process, 'fs')
  const { openFileHandle } = fs
  if (!openFileHandle) return
  fs.openFileHandle = function (this: unknown, path: unknown, ...rest: unknown[]) {
    if (typeof path === 'string' && MODULE.test(path) && isLoading()) note(pathToFileURL(path).href)
    return openFileHandle.call(this, path, ...rest)
  }
}

function watchRequire(note: (loaded: Loaded) => void): void {
  type Loading = { parent?: unknown }
  const prototype = (Module as unknown as { prototype: { load(this: Loading, file: string): unknown } }).prototype
  const { load } = prototype
  prototype.load = function (file) {
    // What an ES module imports has no parent. Imported anew it costs less than half of it: its exports are known.
    note(this.parent ? file : pathToFileURL(file).href)
    return load.call(this, file)
  }
}

function isRequired(context: unknown): boolean {
  return ((context as { conditions?: readonly string[] }).conditions ?? []).includes('require')
}

/** Whether it is Node.js itself that loads a module, and not the app that reads a file. */
function isLoading(): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = DEEP
  Error.prepareStackTrace = (_error, sites) => sites.some((site) => site.getFileName() === LOADER)
  try {
    return new Error().stack as unknown as boolean
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace })
  }
}

/** The file's path. */
export function fileOf(loaded: Loaded): string {
  return loaded.startsWith('file:') ? fileURLToPath(loaded) : loaded
}

/** What reads ES modules, and how many frames it may stand above the opening. */
const LOADER = 'node:internal/modules/esm/load'
const DEEP = 30
const MODULE = /\.([mc]?[jt]sx?|json)$/
