// The service: a process of its own, which answers on the module's address and asks the supervisor for what has changed.

import { once } from 'node:events'
import type { ClusterStatus, ServiceHandle } from '@mapache/core'
import { isLoopback, keptThrottle } from '@mapache/shell/credential'
import type { Change, Pulled } from '../messages.js'
import type { MetricsSettings } from '../options.js'
import { dashboard } from '../page/dashboard.js'
import { MODULE } from '../report.js'
import { clusterFamilies } from './families.js'
import { mergeApp } from './merge.js'
import { Mirror } from './mirror.js'
import { paced } from './paced.js'
import { passwordCredential } from './password.js'
import { createPages } from './server.js'
import { Watch } from './watch.js'

/** Serves the pages until the service is to leave. */
export default async function pages(service: ServiceHandle): Promise<void> {
  const { address, buckets, password, hosts } = service.options as MetricsSettings
  const mirror = new Mirror(buckets.length, (pull) => service.send(MODULE, 'pull', pull))
  service.onMessage(MODULE, 'change', (change) => mirror.change(change as Change))
  service.onMessage(MODULE, 'pulled', (pulled) => mirror.pulled(pulled as Pulled))

  const status = paced(() => within(service.cluster.status(), TIMEOUT), PACE)
  const look = paced(async () => {
    const [counted, now] = await Promise.all([mirror.pull(TIMEOUT), status()])
    return { counted, status: now }
  }, PACE)
  const watch = new Watch(buckets, look)
  const page = dashboard({
    overview: () => watch.latest,
    onUpdate: (fn) => watch.onUpdate(fn),
    cluster: service.cluster,
    credential: password === undefined ? undefined : passwordCredential(password, await keptThrottle(service, MODULE)),
    hosts,
    retiring: service.retiring,
    log: (level, message) => service.log(level, message)
  })
  service.onRetire(() => watch.end())
  const server = createPages({
    status,
    dashboard: page,
    // What listens for this machine alone could be read by a foreign page that lets its own name point here.
    hosts: 'host' in address && isLoopback(address.host) ? hosts : undefined,
    async families() {
      const { counted, status: now } = await look()
      return [...clusterFamilies(counted, now, buckets), ...mergeApp(counted)]
    }
  })
  server.listen(address)
  await once(server, 'listening')
}

async function within(status: Promise<ClusterStatus>, timeout: number): Promise<ClusterStatus> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the supervisor has not answered in ${timeout} ms`)), timeout)
  })
  try {
    return await Promise.race([status, late])
  } finally {
    clearTimeout(timer)
  }
}

/** How long the supervisor may take to answer, ms. */
const TIMEOUT = 2_000
/** The supervisor is asked no more often than this, whatever comes in here, ms. */
const PACE = 50
