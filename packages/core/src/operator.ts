import { once } from 'node:events'
import { ChannelClient } from './channel/client.js'
import type { Cluster } from './cluster.js'
import { MapacheError } from './errors.js'
import { RemoteCluster } from './remote-cluster.js'
import { type FoundCluster, findFolders, socketPath } from './supervisor/folder.js'

export type { FoundCluster }

/** A running cluster, operated from outside. */
export interface OperatedCluster extends Cluster {
  readonly role: 'operator'
  /** Resolves when the supervisor has gone, or `close()` was called. */
  readonly closed: Promise<void>
  /**
   * As in `Cluster`: it waits until no process is left.
   * @throws MAPACHE_CHANNEL_CLOSED when the supervisor goes away before that
   */
  stop(mode?: 'graceful' | 'now'): Promise<void>
  /** Lets go of the cluster, which runs on. What is waited for rejects with MAPACHE_CHANNEL_CLOSED. */
  close(): void
}

/**
 * Finds the running clusters of this user by the folders of their channels.
 * @param env where the folders may be: of interest are RUNTIME_DIRECTORY and XDG_RUNTIME_DIR
 * @returns the clusters whose supervisor answers
 */
export function findClusters(env: NodeJS.ProcessEnv = process.env): Promise<FoundCluster[]> {
  return findFolders(env)
}

/**
 * Connects to a running cluster. Who may enter its channel's folder may operate it.
 * @param found as `findClusters` gives them; the folder is enough
 * @returns the cluster, its status read once; the connection keeps this process alive until `close()`
 * @throws MAPACHE_CHANNEL_CLOSED when no supervisor answers; MAPACHE_CHANNEL_VERSION when it speaks another version than
 *   this copy of Mapache: use the one that the app has installed
 */
export async function connect(found: Pick<FoundCluster, 'folder'>): Promise<OperatedCluster> {
  const cluster = new Operated(await ChannelClient.operate(socketPath(found.folder)))
  await cluster.status()
  return cluster
}

class Operated extends RemoteCluster implements OperatedCluster {
  declare readonly role: 'operator'
  readonly closed: Promise<void>
  readonly #channel: ChannelClient

  constructor(channel: ChannelClient) {
    super('operator', {
      call: (method, rest) => channel.request({ type: 'call', method, ...rest }),
      onEvent: (take) => {
        channel.on('message', (message) => message.type === 'event' && take(message.event, message.data))
      }
    })
    this.#channel = channel
    this.closed = once(channel, 'closed').then(() => {})
  }

  override async stop(mode: 'graceful' | 'now' = 'graceful'): Promise<void> {
    let stopped = false
    this.once('stopped', () => {
      stopped = true
    })
    await super.stop(mode)
    await this.closed
    if (!stopped) throw new MapacheError('MAPACHE_CHANNEL_CLOSED', 'the supervisor went away before it had stopped')
  }

  close(): void {
    this.#channel.close()
  }
}
