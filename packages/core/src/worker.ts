import { Handle, type WorkerHandle } from './worker/handle.js'
import { currentRuntime } from './worker/registry.js'

export type { WorkerHandle }

/** The worker that this code runs in. When the app runs alone: id 0, never retiring. */
export const worker: WorkerHandle = currentRuntime()?.handle ?? new Handle()
