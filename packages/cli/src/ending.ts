import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
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

  constructor(cluster: RemoteCluster, found: FoundCluster) {
    let stops = false
    cluster.once('stop', () => {
      stops = true
    })
    const gone = cluster.closed.then(() => {
      if (!stops) throw died(found)
      return mustHaveStopped(found)
    })
    const interrupted = new Promise<void>((resolve) => process.once('SIGINT', resolve))
    this.come = Promise.race([gone, interrupted]).finally(() => {
      this.over = true
    })
    // It is looked at only when there is nothing else to wait for.
    this.come.catch(() => {})
  }
}

/**
 * Of a cluster that began to stop, and whose channel has closed: nothing is left, or its supervisor has died meanwhile.
 * @throws MAPACHE_CHANNEL_CLOSED when it died and has left something behind
 */
export async function mustHaveStopped(found: FoundCluster): Promise<void> {
  const { folder, pid } = found
  const deadline = performance.now() + PATIENCE
  // A supervisor that stops removes the folder after it has closed the channel; one that dies leaves it to others.
  while (existsSync(folder)) {
    if (!isAlive(pid) || performance.now() > deadline) throw died(found)
    await sleep(INTERVAL)
  }
}

function died({ pid }: FoundCluster): MapacheError {
  return new MapacheError('MAPACHE_CHANNEL_CLOSED', `the supervisor (pid ${pid}) has gone without having stopped`)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Milliseconds. */
const PATIENCE = 5_000
const INTERVAL = 10
