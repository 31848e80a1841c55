import { type ClusterStatus, MapacheError } from '@mapache/core'
import type { RemoteCluster } from '../find.js'
import { plural } from '../format.js'
import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

/**
 * `mapache scale N`: changes how many workers serve, and waits until they do. `mapache scale auto` gives the number back to
 * the option `workers`; where the load decides about it, nothing is left to wait for.
 */
export function scale(
  [count]: [number | 'auto'],
  options: ClusterOptions & { wait: boolean },
  output: Output
): Promise<number> {
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
      const { target, scaling } = await cluster.status()
      if (options.wait && (count !== 'auto' || !scaling)) await reached(cluster, target, () => error)
      return cluster.status()
    },
    ({ target, serving, scaling }) => {
      const byLoad = count === 'auto' && scaling !== undefined
      if (byLoad) return output.result({ target, serving }, output.look.green('scale done: the load decides'))
      const text = options.wait ? `${plural(serving, 'worker')} serve` : `${plural(target, 'worker')} should serve`
      output.result(
        { target, serving },
        output.look.green(`scale done: ${text.replace('1 worker serve', '1 worker serves')}`)
      )
    }
  )
}

/**
 * Waits until so many workers serve.
 * @param cause why the last worker that ended did
 * @throws MAPACHE_BOOT_FAILED when all that are missing keep failing; MAPACHE_RELOAD_SUPERSEDED when another number is
 *   wanted meanwhile; MAPACHE_CHANNEL_CLOSED when the supervisor goes
 */
export async function reached(
  cluster: Pick<RemoteCluster, 'status' | 'on' | 'off' | 'closed'>,
  count: number,
  cause: () => Error | undefined
): Promise<void> {
  let lookAgain = () => {}
  const onNews = () => lookAgain()
  for (const name of NEWS) cluster.on(name, onNews)
  void cluster.closed.then(onNews)
  try {
    for (;;) {
      // What happens while the status is on its way may not be in it, and is worth another look.
      const news = new Promise<void>((resolve) => {
        lookAgain = resolve
      })
      if (serves(await cluster.status(), count, cause)) return
      const timer = setTimeout(onNews, INTERVAL)
      await news
      clearTimeout(timer)
    }
  } finally {
    for (const name of NEWS) cluster.off(name, onNews)
  }
}

function serves(status: ClusterStatus, count: number, cause: () => Error | undefined): boolean {
  const { target, serving } = status
  if (target !== count) {
    throw new MapacheError('MAPACHE_RELOAD_SUPERSEDED', `meanwhile ${plural(target, 'worker')} are wanted`)
  }
  if (serving === count) return true
  if (keepFailing(status)) {
    const text = `${serving} of ${plural(target, 'worker')} serve; the others fail, and are tried again and again`
    throw new MapacheError('MAPACHE_BOOT_FAILED', text, { cause: cause() })
  }
  return false
}

/** Whether each worker that is missing waits after failures: a single one is tried again at once, and is no reason. */
function keepFailing({ target, serving, waiting }: ClusterStatus): boolean {
  return serving < target && waiting >= target - serving
}

const NEWS = ['worker:serving', 'worker:retire', 'worker:exit'] as const
/** Milliseconds between two looks. */
const INTERVAL = 250
