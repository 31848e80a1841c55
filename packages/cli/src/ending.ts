import { MapacheError } from '@mapache/core'
import type { FoundCluster } from '@mapache/core/operator'
import type { RemoteCluster } from './find.js'

/** The end of something that goes on for as long as it is wanted. */
export class Ending {
  /**
   * Resolves when Ctrl-C came, which is the way to end it, or when the cluster has stopped.
   * @throws MAPACHE_CHANNEL_CLOSED when the supervisor went without having stopped
   */
  readonly come: Promise<void>
  over = false

  constructor(cluster: RemoteCluster, { pid }: FoundCluster) {
    let stopped = false
    cluster.once('stopped', () => {
      stopped = true
    })
    const gone = cluster.closed.then(() => {
      if (stopped) return
      throw new MapacheError('MAPACHE_CHANNEL_CLOSED', `the supervisor (pid ${pid}) has gone without having stopped`)
    })
    const interrupted = new Promise<void>((resolve) => process.once('SIGINT', resolve))
    this.come = Promise.race([gone, interrupted]).finally(() => {
      this.over = true
    })
    // It is looked at only when there is nothing else to wait for.
    this.come.catch(() => {})
  }
}
