// Loaded by --import ahead of the app's entry in every worker and service, and harmless anywhere else: a thread or a
// child of the app that inherits the argument finds no launch information and does nothing.
import { isMainThread } from 'node:worker_threads'
import { LAUNCH_VARIABLE, type LaunchInfo } from '../supervisor/launch/launcher.js'

const text = isMainThread ? process.env[LAUNCH_VARIABLE] : undefined
if (text !== undefined) {
  // At once, so that a child of the app does not take itself for a worker.
  delete process.env[LAUNCH_VARIABLE]
  const own = process.execArgv.indexOf('--import')
  if (own !== -1 && process.execArgv[own + 1] === import.meta.url) process.execArgv.splice(own, 2)
  // Only here: a process that is no worker need not load the rest.
  const { startWorker } = await import('./worker-runtime.js')
  await startWorker(JSON.parse(text) as LaunchInfo)
}
