import t from 'tap'
import { checkEnvironment } from '#core/environment.js'

const fine = { platform: 'linux' as NodeJS.Platform, nodeVersion: '22.1.0', inClusterWorker: false, inPm2: false }

t.test('the process that runs these tests could be a supervisor', async (t) => {
  t.doesNotThrow(() => checkEnvironment())
})

t.test('Linux and macOS with Node.js 20.19 or newer will do', async (t) => {
  for (const platform of ['linux', 'darwin'] as const) {
    for (const nodeVersion of ['20.19.0', '20.20.2', '21.0.0', '22.0.0', '24.3.1', '100.0.0', '24.0.0-nightly']) {
      t.doesNotThrow(() => checkEnvironment({ ...fine, platform, nodeVersion }), `${platform} ${nodeVersion}`)
    }
  }
})

t.test('an older Node.js is refused', async (t) => {
  for (const nodeVersion of ['20.18.9', '20.0.0', '20.9.0', '19.19.0', '18.20.4', '0.12.18', '8.19.0']) {
    t.throws(() => checkEnvironment({ ...fine, nodeVersion }), {
      code: 'MAPACHE_NODE_VERSION',
      message: `MAPACHE_NODE_VERSION: Node.js must be 20.19 or newer, got ${nodeVersion}`
    })
  }
})

t.test('Windows is refused, and WSL is named', async (t) => {
  t.throws(() => checkEnvironment({ ...fine, platform: 'win32' }), {
    code: 'MAPACHE_UNSUPPORTED_PLATFORM',
    message: /WSL/
  })
})

t.test('a worker of node:cluster is refused', async (t) => {
  t.throws(() => checkEnvironment({ ...fine, inClusterWorker: true }), {
    code: 'MAPACHE_IN_CLUSTER',
    message: 'MAPACHE_IN_CLUSTER: this process is a worker of node:cluster; start Mapache outside of it'
  })
})

t.test('a worker of PM2 in cluster mode is refused, and told what to set', async (t) => {
  t.throws(() => checkEnvironment({ ...fine, inClusterWorker: true, inPm2: true }), {
    code: 'MAPACHE_IN_CLUSTER',
    message: /PM2 in cluster mode \(set exec_mode 'fork', instances 1\)/
  })
})

t.test('PM2 in fork mode will do', async (t) => {
  t.doesNotThrow(() => checkEnvironment({ ...fine, inPm2: true }))
})
