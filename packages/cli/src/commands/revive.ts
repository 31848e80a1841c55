import { plural } from '../format.js'
import { type ClusterOptions, withCluster } from '../operate.js'
import type { Output } from '../output.js'

/** `mapache revive`: launches at once what waits after failures. */
export function revive(_args: [], options: ClusterOptions, output: Output): Promise<number> {
  return withCluster(options, async (cluster) => {
    const revived = await cluster.revive()
    const text = revived === 0 ? 'nothing waits to be launched' : `${plural(revived, 'process', 'processes')} launched`
    output.result({ revived }, text)
    return 0
  })
}
