import type { ClusterStatus } from '@mapache/core'
import { Throttle } from '@mapache/shell/credential'
import t from 'tap'
import type { Pull, Pulled } from '#metrics/messages.js'
import { emptyRequests } from '#metrics/report.js'
import { Mirror } from '#metrics/service/mirror.js'
import { Overviews, p99 } from '#metrics/service/overviews.js'
import { paced } from '#metrics/service/paced.js'
import { passwordCredential } from '#metrics/service/password.js'
import { Counters } from '#metrics/supervisor/counters.js'
import { hashOf } from '../support/metrics.js'

const status = (more: Partial<ClusterStatus> = {}) => {
  const vitals = {
    requests: 9,
    inFlight: 1,
    connections: 2,
    listening: true,
    utilisation: 0.5,
    delayP99: 3,
    rss: 4,
    heapUsed: 5
  }
  const worker = { id: 3, role: 'worker', generation: 1, place: 1, state: 'serving', vitals }
  return { serving: 2, target: 2, generation: 1, stopping: false, processes: [worker], ...more } as ClusterStatus
}

t.test('a question is asked once for all who come before it has left', async (t) => {
  let asked = 0
  const ask = paced(async () => {
    asked += 1
    if (asked === 2) throw new Error('no answer')
    return asked
  }, 20)
  const start = performance.now()
  const first = ask()
  t.strictSame(await Promise.all([first, ask()]), [1, 1])
  await t.rejects(ask(), /no answer/)
  t.equal(await ask(), 3)
  t.ok(performance.now() - start > 35, 'and not too often')
})

t.test('the mirror asks for what is new', async (t) => {
  const asked: Pull[] = []
  const mirror = new Mirror(1, (pull) => asked.push(pull))
  const pulled = (request: number, sequence: number, workers: number[]) => {
    mirror.pulled({ request, sequence, workers } as Pulled)
  }
  const first = mirror.pull(5_000)
  mirror.change({ worker: 1, requests: { ...emptyRequests(1), micros: 5 } })
  const good = { name: 'a', type: 'counter', help: 'A.', aggregator: 'sum', samples: [['a', '', 1]] }
  mirror.change({ worker: 1, metrics: { 'a#0': JSON.stringify(good), 'b#0': 'no metric' } })
  pulled(1, 9, [1])
  const { workers } = await first
  t.strictSame([...(workers.get(1)?.metrics.keys() ?? [])], ['a#0'])
  t.equal(workers.get(1)?.requests.micros, 5)

  await t.rejects(mirror.pull(1), /has not answered in 1 ms/)
  const third = mirror.pull(5_000)
  pulled(2, 10, [1])
  pulled(3, 11, [2])
  t.strictSame([...(await third).workers.keys()], [2])
  t.strictSame(
    asked.map(({ since }) => since),
    [0, 9, 9]
  )
})

t.test('an overview tells the rates since the one before', async (t) => {
  const overviews = new Overviews([0.01, 0.1])
  const counters = new Counters()
  counters.exited({ id: 8, failed: true, reason: 'crash', drained: undefined }, 0)
  const at = (get: number, active: number) => {
    const requests = { ...emptyRequests(2), buckets: [get, get / 10, 0], active }
    requests.counts[3] = get
    requests.counts[6] = get / 10
    const account = { requests, metrics: new Map() }
    const pulled = { counters: counters.data } as Pulled
    const counted = {
      departed: { requests: emptyRequests(2), metrics: new Map() },
      workers: new Map([[3, account]]),
      pulled
    }
    return overviews.make({ counted, status: status() }, 1)
  }
  t.match(at(100, 1_000), { cluster: { requestsPerSecond: 0, p99: undefined, inFlight: 1, connections: 2 } })
  const second = at(300, 3_000)
  t.match(second.workers, [{ id: 3, requestsPerSecond: 110, p99: 100, inFlight: 1 }])
  t.match(second, { cluster: { requestsPerSecond: 110 }, totals: { requests: 330, crashes: 1 }, ready: { ok: true } })
  t.match(at(300, 3_000).cluster.requestsPerSecond, 110, 'workers tell out of step')
  t.match(at(300, 3_000).cluster.requestsPerSecond, 0)
  t.equal(p99([0, 0, 5], [0.01, 0.1]), 100)
})

t.test('what the supervisor counts', async (t) => {
  const counters = new Counters()
  counters.launched({ id: 1, failures: 0 }, 0)
  counters.ready({ id: 1 }, 400)
  counters.launched({ id: 2, failures: 1 }, 0)
  counters.retired({ id: 1 }, 1_000)
  counters.exited(
    {
      id: 1,
      failed: false,
      reason: 'reload',
      drained: { cutRequests: 1, cutSockets: 2, cutStreams: 3, closedIdle: 9 }
    },
    400_000
  )
  counters.exited({ id: 2, failed: true, reason: 'boot-failed', drained: undefined }, 9)
  counters.rollBegan('refork', 2)
  counters.rollEnded(2, 'done')
  counters.rollTook(700)
  counters.rollEnded(9, 'failed')
  const { data } = counters
  t.match(data, {
    launches: 2,
    restarts: 1,
    crashes: { crash: 0, 'boot-failed': 1 },
    cuts: { requests: 1, sockets: 2, streams: 3 },
    reloads: { reload: { done: 0, failed: 1 }, refork: { done: 1, failed: 0 } }
  })
  t.strictSame(data.bootDurations.buckets.indexOf(1), 3)
  t.strictSame(data.drainDurations, { buckets: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], sum: 399 })
  t.equal(data.reloadDurations.sum, 0.7)
})

t.test('a password: who guesses is slowed down and locked out, and nobody else', async (t) => {
  let now = 0
  const waits: number[] = []
  const wait = async (ms: number) => void waits.push(ms)
  const password = passwordCredential(hashOf('a pässword'), new Throttle({ now: () => now, wait, failures: 3 }))
  const { signal } = new AbortController()
  const right = 'a pässword'
  t.strictSame(await password.verify(right, 'here', signal), { ok: true })
  for (let left = 3; left > 0; left -= 1) t.strictSame(await password.verify('x', 'there', signal), { ok: false })
  t.same(waits.length, 2, 'the first one does not wait')
  const locked = await password.verify(right, 'there', signal)
  t.match(locked, { ok: false, retryAfter: Number })
  t.strictSame(await password.verify(right, 'here', signal), { ok: true })
  t.strictSame(await password.verify(right, 'new', AbortSignal.abort()), { ok: false }, 'who has gone is not checked')
  now += (locked as { retryAfter: number }).retryAfter + 1
  t.strictSame(await password.verify(right, 'there', signal), { ok: true })
})
