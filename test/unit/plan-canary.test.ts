import t from 'tap'
import type { PlanSettings } from '#core/cluster/plan.js'
import { Planned } from './plan-kit.js'

const RULE = { soak: 5_000, maxErrorRate: 0.01, maxLatencyRatio: 2, minRequests: 100 }
const WORSE = { name: 'MapacheError', message: 'it is worse', stack: '' }

/** A reload, request 1, whose canary, worker 3, soaks since 1,000 ms. */
function soaking(settings: Partial<PlanSettings> = {}): Planned {
  const planned = Planned.serving({ canary: RULE, ...settings })
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  planned.serving(3, 2)
  planned.now = 1_000
  planned.tick()
  return planned
}

t.test('a canary that has settled soaks beside all old workers, is judged, and the others follow', async (t) => {
  const planned = Planned.serving({ canary: RULE, spare: 1 })
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  planned.serving(3, 2)
  planned.now = 1_000
  t.strictSame(planned.tick(), ['soaking g2 by 3 for 5000', 'look-again 6000'])
  t.equal(planned.phase, 'soaking')
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x2 +1'])
  t.equal(planned.desired().capacity, 2)
  planned.now = 5_999
  t.strictSame(planned.tick(), ['look-again 6000'])
  planned.now = 6_000
  planned.members[2] = 'w g2 p1 serving seen=5000'
  t.strictSame(planned.tick(), ['judge 3'])
  planned.members[2] = 'w g2 p1 serving seen=5000 killed'
  t.strictSame(planned.take({ type: 'judged', first: 3 }), [], 'killed since: its end decides')
  t.equal(planned.phase, 'soaking')
  planned.members[2] = 'w g2 p1 serving seen=5000'
  t.strictSame(planned.take({ type: 'judged', first: 3 }), ['soaked g2', 'settled g2 by 3'])
  t.equal(planned.phase, 'rolling')
  t.equal(planned.state.roll?.soakUntil, undefined)
  planned.members = ['w g1 p1 retiring', 'w g1 p2 retiring', 'w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.tick(), ['done 1 g2'])
})

t.test('a canary whose loop is blocked at the end of its soak is bad, however little is known of it', async (t) => {
  const planned = Planned.serving({ canary: RULE })
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  planned.serving(3, 2)
  planned.now = 1_000
  planned.tick()
  planned.members[2] = 'w g2 p1 serving seen=2999'
  planned.now = 6_000
  t.strictSame(planned.tick(), ['failed 1 g2 canary: its event loop was blocked at the end of the soak'])
  t.equal(planned.phase, undefined)
})

t.test('a canary that is worse is retired, at whichever time it is judged', async (t) => {
  for (const now of [1_500, 6_000]) {
    const planned = soaking()
    planned.now = now
    t.strictSame(planned.take({ type: 'judged', first: 3, bad: WORSE }), ['failed 1 g2 canary: it is worse'])
    t.equal(planned.phase, undefined)
    t.equal(planned.state.current, 1)
    t.strictSame(planned.slots(), ['w g1 x2'], 'it is of no slot any more')
  }
})

t.test('a canary that ends badly is worse', async (t) => {
  const planned = soaking()
  planned.members.pop()
  t.strictSame(planned.exited(2, { id: 3, served: true }), ['failed 1 g2 canary: no database'])
})

t.test('a canary that was told to go says nothing of its code: the next one soaks from the start', async (t) => {
  const planned = soaking()
  planned.now = 2_000
  planned.members[2] = 'w g2 p1 serving stale'
  t.strictSame(planned.tick(), ['look-again 6000'])
  planned.members.push('w g2 p2 serving')
  t.strictSame(planned.serving(4, 2), ['look-again 3000'], 'it settles first')
  t.equal(planned.phase, 'settling')
  planned.members.splice(2, 1)
  t.strictSame(planned.exited(2, { id: 3, served: true, failed: false }), ['look-again 3000'])
  planned.members = ['w g1 p1 serving', 'w g1 p2 serving', 'w g2 p1 retiring', 'w g2 p1 serving']
  planned.now = 3_000
  t.strictSame(planned.tick(), ['soaking g2 by 4 for 5000', 'look-again 8000'])
  t.strictSame(planned.take({ type: 'judged', first: 3, bad: WORSE }), ['look-again 8000'], 'the first is forgotten')
})

t.test('if it is gone before another serves, one is on its way', async (t) => {
  const planned = soaking()
  planned.members = ['w g1 p1 serving', 'w g1 p2 serving', 'w g2 p1 launching']
  t.strictSame(planned.exited(2, { id: 3, served: true, failed: false }), [])
  t.equal(planned.phase, 'booting')
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x2'])
  planned.members[2] = 'w g2 p1 serving'
  t.strictSame(planned.serving(3, 2), ['look-again 2000'])
})

t.test('one that is leaving at the end of the soak is not judged', async (t) => {
  for (const state of ['retiring', 'serving stale', 'serving deaf', 'serving killed']) {
    const planned = soaking()
    planned.members[2] = `w g2 p1 ${state}`
    planned.now = 7_000
    t.strictSame(planned.tick(), [], state)
    t.equal(planned.phase, 'soaking', state)
  }
})

t.test('one that takes its place and does not boot fails the reload in boot', async (t) => {
  const planned = soaking()
  planned.members[2] = 'w g2 p1 serving stale'
  t.strictSame(planned.exited(2, { id: 4 }), ['failed 1 g2 boot: no database'])
})

t.test('another worker that is told to go, or an old one that crashes, does not end the soak', async (t) => {
  const planned = soaking()
  t.strictSame(planned.exited(2, { id: 4, failed: false }), ['look-again 6000'])
  t.strictSame(planned.exited(1, { id: 1, served: true }), ['look-again 6000'])
  t.equal(planned.phase, 'soaking')
})

t.test('what is asked for goes before the option, also for a reload that waits', async (t) => {
  const without = Planned.serving({ canary: RULE, settle: 0 })
  without.take({ type: 'reload', request: 1, canary: false })
  without.members.push('w g2 p1 serving')
  t.strictSame(without.serving(3, 2), ['settled g2 by 3'])
  without.take({ type: 'reload', request: 2, canary: { ...RULE, soak: 9_000 } })
  t.match(without.state.queued, { request: 2, kind: 'reload', canary: { soak: 9_000 } })
  without.members = ['w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(without.tick(), ['done 1 g2', 'prepare g3 for 2'])
  without.members.push('w g3 p1 serving')
  t.strictSame(without.serving(3, 3), ['soaking g3 by 3 for 9000', 'look-again 9000'])
})

t.test('a reload that waits keeps waiting while one soaks', async (t) => {
  const planned = soaking()
  t.strictSame(planned.reload(2), ['look-again 6000'])
  t.strictSame(planned.take({ type: 'judged', first: 3, bad: WORSE }), [
    'failed 1 g2 canary: it is worse',
    'prepare g3 for 2'
  ])
  t.equal(planned.state.roll?.canary, RULE, 'and is a canary, too')
})

t.test('a rollback calls it back, a stop ends it, and old first drops it', async (t) => {
  t.strictSame(soaking().take({ type: 'rollback', request: 2 }), [
    'failed 1 g2 rollback: it was called back by a rollback',
    'done 2 g1'
  ])
  t.strictSame(soaking().take({ type: 'stop', mode: 'graceful' }), ['refused 1'])
  const planned = soaking()
  t.strictSame(planned.oldFirst(2), ['superseded 1', 'prepare g3 for 2, old first'])
  t.equal(planned.state.roll?.canary, undefined)
})

t.test('a refork and a rollback have none: their code has proved itself', async (t) => {
  const planned = Planned.serving({ canary: RULE, fork: true })
  planned.state = { ...planned.state, molded: [1] }
  planned.take({ type: 'refork', request: 1 })
  t.equal(planned.state.roll?.canary, undefined)
})
