import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

/** `mapache recycle ID`: replaces one worker or service. */
export function recycle([id]: [number], options: ClusterOptions, output: Output): Promise<number> {
  return operate(
    options,
    output,
    'recycle',
    (cluster) => cluster.recycle(id),
    () => output.result({ recycled: id }, output.look.green(`recycle done: ${id} is replaced`))
  )
}
