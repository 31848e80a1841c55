import { type ClusterOptions, withCluster } from '../operate.js'
import type { Output } from '../output.js'
import { statusLines } from '../status-lines.js'

/** `mapache status`: how the cluster and its processes are. */
export function status(_args: [], options: ClusterOptions, output: Output): Promise<number> {
  return withCluster(options, async (cluster) => {
    const now = await cluster.status()
    output.result(now, ...statusLines(now, output.look, Date.now()))
    return 0
  })
}
