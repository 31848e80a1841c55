import type { Cluster, ClusterStatus } from '@mapache/core'
import { connect, findClusters } from '@mapache/core/operator'
import { type Fixture, type Test, until } from './fixture.js'

/** The cluster that a fixture runs, as an operator finds it. */
export async function findOne({ folder, pid }: Fixture) {
  const all = await findClusters({ XDG_RUNTIME_DIR: folder })
  const [found, ...others] = all.filter((one) => one.pid === pid)
  if (!found || others.length > 0) throw new Error(`${pid} was not found, once, but ${JSON.stringify(all)}`)
  return found
}

/** Operates it, to the end of the test. */
export async function operate(t: Test, fixture: Fixture): ReturnType<typeof connect> {
  const cluster = await connect(await findOne(fixture))
  t.teardown(() => cluster.close())
  return cluster
}

/** Waits until the cluster's status is as it should be. @returns it */
export async function statusWith(cluster: Cluster, is: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
  let last = await cluster.status()
  await until(
    async () => {
      last = await cluster.status()
      return is(last)
    },
    'a status',
    () => JSON.stringify(last, undefined, 2)
  )
  return last
}
