import cluster from 'node:cluster'
import { MapacheError } from './errors.js'

/** What of the process decides whether a supervisor can run in it. */
export interface Environment {
  platform: NodeJS.Platform
  nodeVersion: string
  inClusterWorker: boolean
  inPm2: boolean
}

/**
 * Checks that a supervisor can run here.
 * @throws MAPACHE_NODE_VERSION, MAPACHE_UNSUPPORTED_PLATFORM, MAPACHE_IN_CLUSTER
 */
export function checkEnvironment(environment: Environment = ownEnvironment()): void {
  const { platform, nodeVersion, inClusterWorker, inPm2 } = environment
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new MapacheError('MAPACHE_NODE_VERSION', `Node.js must be 20.19 or newer, got ${nodeVersion}`)
  }
  if (platform === 'win32') {
    throw new MapacheError('MAPACHE_UNSUPPORTED_PLATFORM', 'Mapache does not run on Windows itself; run the app in WSL')
  }
  if (inClusterWorker) {
    const who = inPm2 ? "PM2 in cluster mode (set exec_mode 'fork', instances 1)" : 'node:cluster'
    throw new MapacheError('MAPACHE_IN_CLUSTER', `this process is a worker of ${who}; start Mapache outside of it`)
  }
}

function ownEnvironment(): Environment {
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    inClusterWorker: cluster.isWorker,
    inPm2: process.env.pm_id !== undefined
  }
}
