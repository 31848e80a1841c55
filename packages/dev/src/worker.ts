// Loaded ahead of the app in each worker; its options are in its own URL, see `index.ts`.
import inspector from 'node:inspector'
import { worker } from '@mapache/core/worker'
import { type Loaded, watchLoading } from './loaded.js'
import { readWorkerOptions } from './worker-options.js'

const { refresh, inspect } = readWorkerOptions(import.meta.url)

/** Arguments of Node.js that bring a loader, which may have a thread. */
const LOADERS = /^--(import|loader|experimental-loader)\b/
/** Milliseconds. */
const GATHER = 10
/** Files in one message. */
const MOST = 1_000

report()
if (inspect) openInspector(inspect)
if (refresh) {
  const { installRefresh } = await import('./refresh.js')
  installRefresh({ generation: worker.generation, retiring: worker.retiring })
}

/** Tells the supervisor what is loaded, in the order of loading, many files at a time. */
function report(): void {
  let files: Loaded[] = []
  const send = () => {
    const loaded = files
    files = []
    for (let index = 0; index < loaded.length; index += MOST)
      worker.send('dev', 'loaded', loaded.slice(index, index + MOST))
  }
  const note = (file: Loaded) => {
    if (files.length === 0) setTimeout(send, GATHER).unref()
    files.push(file)
  }
  watchLoading(note, { threaded: process.execArgv.some((arg) => LOADERS.test(arg)) })
  // What failed to load it is told of by then.
  process.once('exit', send)
}

/** Closed when the worker is told to leave, so that the next one has the same port. */
function openInspector({ host, port }: { host: string; port: number }): void {
  inspector.open(port, host)
  worker.retiring.addEventListener('abort', () => inspector.close())
}
