import type { ReloadResult } from '@mapache/core'
import type { RemoteCluster } from '../find.js'
import { formatDuration } from '../format.js'
import { type ClusterOptions, operate } from '../operate.js'
import type { Output } from '../output.js'

/** `mapache refork` */
export function refork(_args: [], options: ClusterOptions, output: Output): Promise<number> {
  return roll(options, output, 'refork', (cluster) => cluster.refork())
}

/** `mapache rollback` */
export function rollback(_args: [], options: ClusterOptions, output: Output): Promise<number> {
  return roll(options, output, 'rollback', (cluster) => cluster.rollback())
}

function roll(
  options: ClusterOptions,
  output: Output,
  what: string,
  begin: (cluster: RemoteCluster) => Promise<ReloadResult>
): Promise<number> {
  return operate(options, output, what, begin, ({ generation, duration }) => {
    const text = `${what} done: generation ${generation} serves after ${formatDuration(duration)}`
    output.result({ generation, duration }, output.look.green(text))
  })
}
