import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

/** `mapache stop`: ends with 0 only when nothing of the cluster is left. */
export function stop(_args: [], options: ClusterOptions & { now?: boolean }, output: Output): Promise<number> {
  return operate(
    options,
    output,
    'stop',
    (cluster) => cluster.stop(options.now ? 'now' : 'graceful'),
    () => output.result({ stopped: true }, output.look.green('stop done: nothing of it runs any more'))
  )
}
