import t from 'tap'
import { Planned } from './plan-kit.js'

t.test('a stop wants no workers any more and refuses the reloads that run and wait', async (t) => {
  for (const mode of ['graceful', 'now'] as const) {
    const planned = Planned.serving()
    planned.reload(1)
    planned.reload(2)
    t.strictSame(planned.take({ type: 'stop', mode }), ['refused 1', 'refused 2'])
    t.strictSame(planned.slots(), [])
    const { capacity, stopping } = planned.desired()
    t.strictSame({ capacity, stopping }, { capacity: 0, stopping: mode })
    t.strictSame(planned.reload(3), ['refused 3'])
  }
})

t.test('a stop without a reload refuses nothing', async (t) => {
  t.strictSame(Planned.serving().take({ type: 'stop', mode: 'graceful' }), [])
})

t.test('services are wanted until the last worker is gone', async (t) => {
  const planned = Planned.serving({}, [{ name: 'shell', count: 1 }])
  planned.members = ['w g1 p1 retiring', 'shell g1 p1 serving']
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(planned.slots(), ['shell g1 x1'])
  planned.members = ['shell g1 p1 serving']
  t.strictSame(planned.slots(), [])
})

t.test('in a stop that cuts a roll the services of both generations are kept for the workers', async (t) => {
  const planned = Planned.rolling({}, [{ name: 'shell', count: 1 }])
  planned.members.push('shell g1 p1 retiring', 'shell g2 p1 serving')
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(planned.slots(), ['shell g1 x1', 'shell g2 x1'])
})

t.test('a graceful stop can become a stop now, and not the other way round', async (t) => {
  const planned = Planned.serving()
  planned.take({ type: 'stop', mode: 'graceful' })
  planned.take({ type: 'stop', mode: 'now' })
  t.equal(planned.desired().stopping, 'now')
  planned.take({ type: 'stop', mode: 'graceful' })
  t.equal(planned.desired().stopping, 'now')
})

t.test('in a stop no exit gives up, fails a roll or begins one', async (t) => {
  const planned = new Planned()
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(planned.exited(1, { failures: 10 }), [])
  const settling = Planned.serving()
  settling.reload(1)
  settling.members.push('w g2 p1 serving')
  settling.serving(3, 2)
  settling.take({ type: 'stop', mode: 'graceful' })
  settling.now = 10_000
  t.strictSame(settling.tick(), [])
  t.strictSame(settling.exited(2, { served: true }), [])
})

t.test('a start is given up when a place failed to boot bootAttempts times and nothing ever served', async (t) => {
  const planned = new Planned({ bootAttempts: 3 })
  t.strictSame(planned.exited(1, { failures: 1 }), [])
  t.strictSame(planned.exited(1, { failures: 2 }), [])
  t.strictSame(planned.exited(1, { failures: 3 }), ['give-up: no database'])
  t.strictSame(planned.exited(1, { failures: 3, timedOut: true }), ['give-up timed out: no database'])
})

t.test('a start is given up when workers become ready and never come to listen', async (t) => {
  const planned = new Planned()
  planned.take({ type: 'ready', id: 1, role: 'worker', generation: 1 })
  t.strictSame(planned.exited(1, { failures: 3 }), ['give-up: no database'])
})

t.test('a start is not given up once a worker served, whatever follows', async (t) => {
  const planned = new Planned()
  planned.serving(1, 1)
  t.strictSame(planned.exited(1, { failures: 50 }), [])
})

t.test('a service that serves, or fails, has no say in giving up', async (t) => {
  const planned = new Planned()
  t.strictSame(planned.exited(1, { role: 'service', failures: 50 }), [])
  planned.take({ type: 'serving', id: 1, role: 'service', generation: 1 })
  t.strictSame(planned.exited(1, { failures: 3 }), ['give-up: no database'])
})

t.test('a start is not given up for ends that were chosen', async (t) => {
  t.strictSame(new Planned().exited(1, { failed: false, failures: 3 }), [])
})

t.test('a start is not given up while a reload may mend it, and is once that failed too', async (t) => {
  const planned = new Planned()
  planned.exited(1, { failures: 2 })
  planned.reload(1)
  t.strictSame(planned.exited(1, { failures: 3 }), [])
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database'])
  t.strictSame(planned.exited(1, { failures: 4 }), ['give-up: no database'])
})

t.test('a reload mends a start that failed', async (t) => {
  const planned = new Planned({ settle: 0 })
  planned.exited(1, { failures: 2 })
  planned.reload(1)
  planned.members = ['w g2 p1 serving']
  planned.take({ type: 'ready', id: 1, role: 'worker', generation: 2 })
  t.strictSame(planned.serving(1, 2), ['settled g2 by 1'])
  planned.members.push('w g2 p2 serving')
  t.strictSame(planned.serving(2, 2), ['done 1 g2'])
})
