import { type ClusterStatus, MapacheError } from '@mapache/core'
import type { RemoteCluster } from '../find.js'
import { plural } from '../format.js'
import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

/** `mapache scale N`: changes how many workers serve, and waits until they do. */
export function scale([count]: [number], options: ClusterOptions & { wait: boolean }, output: Output): Promise<number> {
  return operate(
    options,
    output,
    'scale',
    async (cluster) => {
      let error: Error | undefined
      cluster.on('worker:exit', (exit) => {
        error = exit.error ?? error
      })
      await cluster.scale(count)
      if (options.wait) await reached(cluster, count, () => error)
      return cluster.status()
    },
    ({ target, serving }) => {
      const text = options.wait ? `${plural(serving, 'worker')} serve` : `${plural(target, 'worker')} should serve`
      output.result(
        { target, serving },
        output.look.green(`scale done: ${text.replace('1 worker serve', '1 worker serves')}`)
      )
    }
  )
}

/** Resolves when so many workers serve. @throws MAPACHE_BOOT_FAILED when all that are missing keep failing */
async function reached(cluster: RemoteCluster, count: number, cause: () => Error | undefined): Promise<void> {
  for (;;) {
    const status = await cluster.status()
    const { target, serving } = status
    if (target !== count) {
      throw new MapacheError('MAPACHE_RELOAD_SUPERSEDED', `meanwhile ${plural(target, 'worker')} are wanted`)
    }
    if (serving === count) return
    if (keepFailing(status)) {
      const text = `${serving} of ${plural(target, 'worker')} serve; the others fail, and are tried again and again`
      throw new MapacheError('MAPACHE_BOOT_FAILED', text, { cause: cause() })
    }
    await somethingHappens(cluster)
  }
}

/** Whether each worker that is missing waits after failures: a single one is tried again at once, and is no reason. */
function keepFailing({ target, serving, waiting }: ClusterStatus): boolean {
  return serving < target && waiting >= target - serving
}

function somethingHappens(cluster: RemoteCluster): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      for (const name of NEWS) cluster.off(name, done)
      resolve()
    }
    // What happened between the look and here is seen at the next look.
    const timer = setTimeout(done, INTERVAL)
    for (const name of NEWS) cluster.on(name, done)
    void cluster.closed.then(done)
  })
}

const NEWS = ['worker:serving', 'worker:retire', 'worker:exit'] as const
/** Milliseconds between two looks. */
const INTERVAL = 250
