// Loaded ahead of the app in every worker, and in molds, where it does nothing yet.

import { worker } from '@mapache/core/worker'
import { readBuckets } from '../buckets.js'
import { MODULE } from '../report.js'
import { AppMetrics } from './app-metrics.js'
import { findRegistries } from './registries.js'
import { Reporter } from './reporter.js'
import { RequestCounts } from './requests.js'
import { watchRequests } from './watch.js'

const counts = new RequestCounts(readBuckets(import.meta.url))
const reporter = new Reporter(counts, new AppMetrics(findRegistries), (message, data) => {
  worker.send(MODULE, message, data)
})
let soon = false

watchRequests(counts, {
  listening: () => reporter.begin(),
  // While it retires there may be no next second, and no end of the process either: it may become a mold.
  finished() {
    if (!worker.retiring.aborted || soon) return
    soon = true
    setImmediate(() => {
      soon = false
      reporter.last()
    })
  }
})
const last = () => reporter.last()
worker.onRetire(last)
worker.onFork(() => {
  soon = false
  reporter.forked()
  // What was registered is forgotten in a fork of a worker that had retired.
  worker.onRetire(last)
})
worker.onMessage(MODULE, 'departed', () => reporter.end())
process.on('exit', () => {
  counts.abandon()
  reporter.last()
})
