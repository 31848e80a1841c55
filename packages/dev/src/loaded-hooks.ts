// Hooks in the thread of loaders, which tell what ES modules are loaded.
import type { LoadHook } from 'node:module'
import type { MessagePort } from 'node:worker_threads'

let port: MessagePort | undefined

export function initialize(data: { port: MessagePort }): void {
  port = data.port
}

export const load: LoadHook = (url, context, next) => {
  if (url.startsWith('file:')) port?.postMessage(url.replace(/[?#].*$/, ''))
  return next(url, context)
}
