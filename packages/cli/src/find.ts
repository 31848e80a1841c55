import { MapacheError } from '@mapache/core'
import { connect, type FoundCluster, findClusters } from '@mapache/core/operator'
import { plain } from './plain.js'
import { table } from './text.js'

/** A running cluster, operated from outside. */
export type RemoteCluster = Awaited<ReturnType<typeof connect>>

/** Which cluster is meant. */
export interface Wanted {
  name?: string | undefined
  pid?: number | undefined
}

/** A cluster that was found and answers. */
export interface Reached {
  found: FoundCluster
  cluster: RemoteCluster
}

/**
 * Connects to the cluster that is meant: the only one that runs, or the one of that name or pid.
 * @throws MAPACHE_CLUSTER_NOT_FOUND, MAPACHE_CLUSTER_AMBIGUOUS, MAPACHE_CHANNEL_CLOSED, MAPACHE_CHANNEL_VERSION
 */
export async function reach(wanted: Wanted): Promise<Reached> {
  const found = choose(await findClusters(), wanted)
  return { found, cluster: await connect(found) }
}

/**
 * The cluster that is meant, of those that run.
 * @throws MAPACHE_CLUSTER_NOT_FOUND, MAPACHE_CLUSTER_AMBIGUOUS with the ones to choose from as `clusters`
 */
export function choose(running: readonly FoundCluster[], { name, pid }: Wanted): FoundCluster {
  const fitting = running.filter((one) => (name ?? one.name) === one.name && (pid ?? one.pid) === one.pid)
  const [first, second] = fitting
  if (first && !second) return first
  const meant = [...(name === undefined ? [] : [`name ${name}`]), ...(pid === undefined ? [] : [`pid ${pid}`])]
  const clusters = (fitting.length > 0 ? fitting : running).map((one) => ({ name: one.name, pid: one.pid }))
  const list = clusters.length === 0 ? '' : `\n${listOf(clusters)}`
  if (first) {
    const how = new Set(fitting.map((one) => one.name)).size === 1 ? '--pid PID' : '--name NAME or --pid PID'
    const text = `${fitting.length} clusters run: choose one with ${how}${list}`
    throw Object.assign(new MapacheError('MAPACHE_CLUSTER_AMBIGUOUS', text), { clusters })
  }
  const text = meant.length === 0 ? 'no cluster of this user runs' : `no cluster with ${meant.join(' and ')} runs`
  const others = list === '' || meant.length === 0 ? '' : `; these do:${list}`
  throw Object.assign(new MapacheError('MAPACHE_CLUSTER_NOT_FOUND', text + others), { clusters })
}

function listOf(clusters: readonly { name: string; pid: number }[]): string {
  const rows = clusters.map(({ name, pid }) => [plain(name), plain(String(pid))])
  const lines = table([{ title: 'NAME' }, { title: 'PID', side: 'right' }], rows)
  return lines.map((line) => `  ${line}`).join('\n')
}
