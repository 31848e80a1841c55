import type { MapacheModule, MessageSender } from '@mapache/core'
import { ThrottleState } from '@mapache/shell/credential'
import { withBuckets } from './buckets.js'
import { type Change, checkApp, checkPull, checkRequests, type Pull, type Pulled } from './messages.js'
import { checkOptions, type MetricsOptions } from './options.js'
import { type AppReport, MODULE, type RequestReport } from './report.js'
import { Counters } from './supervisor/counters.js'
import { Ledger } from './supervisor/ledger.js'
import { register } from './worker/registries.js'

export type { Dashboard, DashboardOptions, Overview, Rates, Totals, WorkerRates } from './overview.js'
export type { PromMetric, PromRegistry } from './worker/registries.js'
export type { MetricsOptions }

/**
 * Metrics of the whole cluster for Prometheus, health endpoints and a dashboard, as a module of a cluster: a service that
 * answers on an address of its own. See docs/metrics.md.
 * @param options where it answers, and more; see `MetricsOptions`
 * @throws MAPACHE_OPTION_INVALID, MAPACHE_CREDENTIAL_INVALID
 */
export function metrics(options: MetricsOptions = {}): MapacheModule {
  const { address, password, hosts, buckets } = checkOptions(options)
  const ledger = new Ledger(buckets.length)
  const counters = new Counters()
  const senders = new Map<number, MessageSender>()
  const throttled = new ThrottleState()
  const now = () => performance.now()

  return {
    name: MODULE,
    worker: withBuckets(new URL('./worker/main.js', import.meta.url), buckets),
    services: [
      {
        name: 'pages',
        entry: new URL('./service/main.js', import.meta.url),
        options: { address, password, hosts, buckets },
        overlap: true,
        // For the buttons of the dashboard.
        control: password !== undefined
      }
    ],
    messages: {
      ...throttled.messages,
      requests: {
        from: ['worker'],
        check: checkRequests,
        receive(data: RequestReport, sender) {
          senders.set(sender.id, sender)
          ledger.requests(sender.id, data)
        }
      },
      app: {
        from: ['worker'],
        check: checkApp,
        receive(data: AppReport, sender) {
          senders.set(sender.id, sender)
          ledger.metrics(sender.id, data)
        }
      },
      pull: {
        from: ['service'],
        check: checkPull,
        receive({ request, since }: Pull, sender) {
          ledger.whenRead(() => {
            const { changes, sequence, more } = ledger.changes(since)
            for (const change of changes) sender.send('change', change satisfies Change)
            const { user, system } = process.cpuUsage()
            const { rss, heapUsed } = process.memoryUsage()
            sender.send('pulled', {
              request,
              sequence,
              more,
              workers: ledger.workers,
              counters: counters.data,
              supervisor: { cpu: (user + system) / 1e6, rss, heapUsed }
            } satisfies Pulled)
          })
        }
      }
    },
    on: {
      'worker:launch'(worker) {
        ledger.launched(worker.id)
        counters.launched(worker, now())
      },
      'worker:ready': (worker) => counters.ready(worker, now()),
      'worker:retire': (worker) => counters.retired(worker, now()),
      'worker:exit'(worker) {
        ledger.left(worker.id)
        counters.exited(worker, now())
        senders.delete(worker.id)
      },
      // A worker that was drained to become a mold does not exit.
      'mold:ready'({ id }) {
        senders.get(id)?.send('departed', null)
        senders.delete(id)
        ledger.left(id)
        counters.left(id, now())
      },
      'reload:start': ({ kind, generation }) => counters.rollBegan(kind, generation),
      'reload:done'({ generation, duration }) {
        counters.rollEnded(generation, 'done')
        counters.rollTook(duration)
      },
      'reload:failed': ({ generation }) => counters.rollEnded(generation, 'failed'),
      'reload:rolledback': () => counters.rolledBack()
    }
  }
}

/** Has the metrics of a prom-client registry of the app's own shown, too. */
metrics.register = register
