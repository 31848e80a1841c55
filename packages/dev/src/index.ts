import path from 'node:path'
import type { MapacheModule } from '@mapache/core'
import type { Strategy } from './keeper.js'
import type { Loaded } from './loaded.js'
import { Session } from './session.js'
import { Terminal } from './terminal/terminal.js'
import { withWorkerOptions } from './worker-options.js'

export { Terminal } from './terminal/terminal.js'
export { chooseLoader, type Loader } from './typescript.js'
export type { Strategy }

export interface DevOptions {
  /** Globs of files, relative to the working directory, that reload the app beside those that it has loaded. */
  watch?: readonly string[]
  /** How the next worker is made; default: the fastest that works here. See docs/dev.md. */
  strategy?: Strategy
  /** Whether pages reload themselves in the browser; default false. */
  refresh?: boolean
  /** Where the inspector of the worker listens; default: nowhere. */
  inspect?: { host: string; port: number }
  /** Look at files again and again instead of being told by the system; default false. */
  poll?: boolean
  /** The app's entry; default: the script of this process. */
  entry?: string
  /** Where to print, and whose keys to take; default: this process's own terminal. */
  terminal?: Terminal
  /** URLs of what a standby process loads ahead of the dependencies: a loader. */
  ahead?: readonly Loaded[]
  /** Takes a loader from the next launch on, for code that Node.js cannot run; returns what is loaded ahead then. */
  transform?: () => readonly Loaded[]
}

/**
 * Dev mode, as a module of a cluster: a change of a file that the app has loaded reloads it, and the next request runs the
 * new code. What fails is shown in place of the app. On a terminal it takes keys from standard input. One worker, no settle: `mapache dev` sets this by itself.
 */
export function dev(options: DevOptions = {}): MapacheModule {
  const { strategy = 'auto', refresh = false, inspect, watch = [], poll = false, ahead = [] } = options
  const root = process.cwd()
  const entry = path.resolve(options.entry ?? process.argv[1] ?? '.')
  let session: Session | undefined
  return {
    name: 'dev',
    worker: withWorkerOptions(new URL('./worker.js', import.meta.url), { refresh, inspect }),
    fallback: new URL('./fallback.js', import.meta.url),
    primes: PRIMES[strategy],
    messages: {
      loaded: {
        from: ['worker'],
        check: checkLoaded,
        receive: (files: Loaded[], { generation }) => session?.loaded(files, generation)
      }
    },
    on: {
      start(_event, cluster) {
        const terminal = options.terminal ?? new Terminal({ cwd: root })
        session = new Session({ terminal, root, entry, strategy, watch, poll, ahead, transform: options.transform })
        session.start(cluster)
      },
      'worker:launch': ({ generation }) => session?.launched(generation),
      listening: (event, cluster) => session?.listening(event, cluster),
      'reload:done': (event) => session?.reloaded(event),
      'app:failed': (event) => session?.failed(event),
      stopped: () => session?.stopped()
    }
  }
}

function checkLoaded(data: unknown): Loaded[] {
  if (Array.isArray(data) && data.every((file) => typeof file === 'string')) return data
  throw new Error('must be an array of files')
}

const PRIMES = { auto: 'auto', fork: 'fork', standby: 'standby', restart: 'standby' } as const
