import type { FoundCluster } from '@mapache/core/operator'
import { type RemoteCluster, reach } from './find.js'
import type { Output } from './output.js'
import { INTERRUPTED, showProgress } from './progress/show.js'

/** The options of every command that finds a running cluster. */
export interface ClusterOptions {
  name?: string
  pid?: number
  json?: boolean
}

/** Lets `use` work with the cluster that is meant, and ends the connection after. @throws as `reach`, and what `use` throws */
export async function withCluster<Value>(
  { name, pid }: ClusterOptions,
  use: (cluster: RemoteCluster, found: FoundCluster) => Promise<Value>
): Promise<Value> {
  const { found, cluster } = await reach({ name, pid })
  try {
    return await use(cluster, found)
  } finally {
    cluster.close()
  }
}

/**
 * Does something with the cluster that takes its time, showing how far it is.
 * @param what it is called
 * @param done prints the result
 * @returns the exit code: 0, or 130 when Ctrl-C ended the waiting
 */
export async function operate<Value>(
  options: ClusterOptions,
  output: Output,
  what: string,
  work: (cluster: RemoteCluster, found: FoundCluster) => Promise<Value>,
  done: (value: Value) => void
): Promise<number> {
  return withCluster(options, async (cluster, found) => {
    const value = await showProgress(cluster, what, output, () => work(cluster, found))
    if (value === INTERRUPTED) {
      if (output.json) output.document({ error: { code: 'INTERRUPTED', message: `the ${what} goes on` } })
      output.aside(`mapache: the ${what} goes on without this command; see mapache status`)
      return 130
    }
    done(value)
    return 0
  })
}
