import { setTimeout as sleep } from 'node:timers/promises'
import { Ending } from '../ending.js'
import { type RemoteCluster, reach } from '../find.js'
import type { ClusterOptions } from '../operate.js'
import type { Output } from '../output.js'
import { onEvents } from '../progress/events.js'
import { TopModel } from './model.js'
import { summary } from './summary.js'

/** `mapache top`: a view of the cluster that goes on; without a terminal, a line for each look. */
export async function top(_args: [], options: ClusterOptions & { interval: number }, output: Output): Promise<number> {
  const { found, cluster } = await reach(options)
  if (!output.live || !process.stdin.isTTY) return lines(cluster, new Ending(cluster, found), options.interval, output)
  // Only now: lines need nothing of what draws.
  const { TopView } = await import('./view.js')
  return new TopView(found.name, cluster, options.interval, output.look).run()
}

/** A line for each look, until Ctrl-C or the cluster's end. */
async function lines(cluster: RemoteCluster, ending: Ending, interval: number, output: Output): Promise<number> {
  const model = new TopModel()
  const off = onEvents(cluster, (event) => model.event(event, performance.now(), Date.now()))
  try {
    while (!ending.over) {
      const status = await cluster.status()
      model.take(status, performance.now())
      const perSecond = model.rates.total(performance.now())
      const clock = new Date().toTimeString().slice(0, 8)
      output.result({ ...status, requestsPerSecond: perSecond }, `${clock}  ${summary(status, perSecond)}`)
      await Promise.race([sleep(interval), ending.come])
    }
    await ending.come
    return 0
  } catch (error) {
    // Asked for its status just then, a cluster that stops cannot answer any more: how it ended is known better.
    if ((error as { code?: unknown }).code !== 'MAPACHE_CHANNEL_CLOSED') throw error
    await ending.come
    return 0
  } finally {
    off()
    cluster.close()
  }
}
