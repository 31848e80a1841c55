import t from 'tap'
import { Planned } from './plan-kit.js'

const FALLBACK = { fallback: true }

/** Two workers that serve, of generation 1, and an old-first reload, request 1, in whose midst they leave. */
function rolling(settings = {}): Planned {
  const planned = Planned.serving(settings)
  planned.oldFirst(1)
  planned.members = ['w g1 p1 retiring', 'w g1 p2 retiring', 'w g2 p1 launching', 'w g2 p2 launching']
  return planned
}

/** The same with an app that has failed: generation 2 did not boot, and a fallback serves for it. */
function failed(settings = {}): Planned {
  const planned = rolling({ ...FALLBACK, ...settings })
  planned.exited(2)
  planned.members = ['w g2 p1 serving fallback']
  return planned
}

const refork = (planned: Planned, request: number) => planned.take({ type: 'refork', request })
const rollback = (planned: Planned, request: number) => planned.take({ type: 'rollback', request })

t.test('an old-first reload wants the new workers alone, and no capacity that would keep the old ones', async (t) => {
  const planned = Planned.serving({ surge: 2, spare: 1 })
  t.match(planned.desired(), { oldFirst: false, capacity: 2, surge: 2 })
  t.strictSame(planned.oldFirst(1), ['prepare g2 for 1, old first'])
  t.strictSame(planned.slots(), ['w g2 x2 +1'])
  t.match(planned.desired(), { oldFirst: true, capacity: 0, surge: 4 }, 'all new ones may be launched at once')
  t.equal(planned.state.current, 1)
})

t.test('it is done when all new ones serve, and there is no settle', async (t) => {
  const planned = rolling({ settle: 5_000 })
  planned.members = ['w g1 p1 retiring', 'w g2 p1 serving', 'w g2 p2 ready']
  t.strictSame(planned.serving(2, 2), [])
  planned.members = ['w g1 p1 retiring', 'w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.serving(3, 2), ['settled g2 by 2', 'done 1 g2'])
  t.match(planned.desired(), { oldFirst: false, capacity: 2, surge: 1 })
  t.equal(planned.state.current, 2)
})

t.test('options are adopted of a worker that serves, whoever was launched first', async (t) => {
  const planned = Planned.serving({ workers: 1, spare: 1 })
  planned.oldFirst(1)
  planned.members = ['w g2 p1 launching', 'w g2 p2 serving']
  t.strictSame(planned.serving(2, 2), ['settled g2 by 2', 'done 1 g2'])
})

t.test('it drops the roll that runs and the one that waits', async (t) => {
  const planned = Planned.rolling()
  planned.reload(2)
  t.strictSame(planned.oldFirst(3), ['superseded 1', 'superseded 2', 'prepare g3 for 3, old first'])
  t.strictSame(planned.slots(), ['w g3 x2'])
  t.match(planned.state.roll, { from: 1, to: 3, phase: 'rolling' })
  t.strictSame(planned.oldFirst(4), ['superseded 3', 'prepare g4 for 4, old first'], 'another of its kind, too')
})

t.test('what was dropped is no part of it any more', async (t) => {
  const planned = rolling()
  planned.oldFirst(2)
  t.strictSame(planned.exited(2), [])
  t.strictSame(planned.take({ type: 'generation-failed', generation: 2, error: ERROR }), [])
  t.match(planned.state.roll, { to: 3 })
})

t.test('a refork and a rollback are dropped as well', async (t) => {
  const planned = new Planned({ fork: true, settle: 0 })
  planned.members = ['m g1 p1 ready', 'fw g1 p1 serving', 'fw g1 p2 serving']
  planned.serving(2, 1)
  refork(planned, 1)
  t.strictSame(planned.oldFirst(2), ['superseded 1', 'prepare g3 for 2, old first'])
  planned.members = ['m g3 p1 ready', 'fw g3 p1 serving', 'fw g3 p2 serving']
  t.strictSame(planned.serving(2, 3), ['settled g3 by 2', 'done 2 g3', 'look-again 60000'].slice(0, 2))
  t.match(planned.state.previous, { generation: 1 }, 'the way back is kept as after any reload')
  t.strictSame(rollback(planned, 3), ['roll-back g3 to g1'])
  t.strictSame(planned.oldFirst(4).slice(0, 2), ['superseded 3', 'prepare g4 for 4, old first'])
})

t.test('a reload waits for it', async (t) => {
  const planned = rolling()
  t.strictSame(planned.reload(2), [])
  planned.members = ['w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.serving(1, 2), ['settled g2 by 1', 'done 1 g2', 'prepare g3 for 2'])
  t.match(planned.state.roll, { from: 2, to: 3, phase: 'booting' })
})

t.test('it cannot be called back, for the old workers have left', async (t) => {
  t.strictSame(rollback(rolling(), 2), ['refused 2: nothing-before'])
})

t.test('a stop ends it, and refuses the next', async (t) => {
  const planned = rolling(FALLBACK)
  t.strictSame(planned.take({ type: 'stop', mode: 'graceful' }), ['refused 1'])
  t.match(planned.desired(), { slots: [], oldFirst: false, capacity: 0 })
  t.strictSame(planned.oldFirst(2), ['refused 2'])
  t.strictSame(planned.exited(2), [], 'and nothing serves for an app that fails meanwhile')
})

t.test('without a fallback new code that fails is current all the same, and tried again', async (t) => {
  const planned = rolling()
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database'])
  t.equal(planned.state.current, 2)
  t.strictSame(planned.slots(), ['w g2 x2'])
  t.match(planned.desired(), { oldFirst: false, capacity: 2 })
})

t.test('without a fallback one that crashes in the roll has as many attempts as its place', async (t) => {
  const planned = rolling()
  t.strictSame(planned.exited(2, { served: true, failures: 2 }), [])
  t.strictSame(planned.exited(2, { served: true, failures: 3 }), ['failed 1 g2 settle: no database'])
})

t.test('with a fallback new code that does not boot has it in its place', async (t) => {
  const planned = rolling(FALLBACK)
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database', 'app-failed g2 boot: no database'])
  t.match(planned.state, { current: 2, failure: { generation: 2, phase: 'boot' } })
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
  t.match(planned.desired(), { oldFirst: true, capacity: 0 }, 'and the workers of the app are to leave first')
  t.strictSame(planned.exited(2), [], 'the others that fail say nothing new')
})

t.test('with a fallback one crash in the roll is enough', async (t) => {
  const effects = rolling(FALLBACK).exited(2, { served: true })
  t.strictSame(effects, ['failed 1 g2 settle: no database', 'app-failed g2 crash: no database'])
})

t.test('a boot that takes too long is one that fails', async (t) => {
  const effects = rolling(FALLBACK).exited(2, { timedOut: true })
  t.strictSame(effects, ['failed 1 g2 boot timed out: no database', 'app-failed g2 boot: no database'])
})

t.test('with a fallback new code that cannot be prepared has it in its place', async (t) => {
  const planned = Planned.serving(FALLBACK)
  planned.oldFirst(1)
  t.strictSame(planned.take({ type: 'generation-failed', generation: 2, error: ERROR }), [
    'failed 1 g2 prepare: no entry',
    'app-failed g2 boot: no entry'
  ])
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
})

t.test('a worker that leaves, or could not be forked, is no failure of the app', async (t) => {
  const planned = rolling(FALLBACK)
  t.strictSame(planned.exited(2, { failed: false }), [])
  t.strictSame(planned.exited(2, { excused: true, failures: 9 }), [])
  t.match(planned.state.roll, { to: 2 })
})

t.test('an old worker that is killed for it fails nothing', async (t) => {
  const planned = rolling(FALLBACK)
  t.strictSame(planned.exited(1, { served: true }), [])
  t.match(planned.state.roll, { to: 2 })
})

t.test('outside of a roll an app that crashes is not started again, where there is a fallback', async (t) => {
  const planned = Planned.serving(FALLBACK)
  t.strictSame(planned.exited(1, { served: true }), ['app-failed g1 crash: no database'])
  t.strictSame(planned.slots(), ['w g1 x1 fallback'])
  t.strictSame(planned.exited(1, { served: true }), [])
  t.equal(planned.state.failure?.phase, 'crash')
})

t.test('a worker that leaves, one of the generation before, or a service is no failure of the app', async (t) => {
  const planned = Planned.serving(FALLBACK)
  planned.state = { ...planned.state, current: 2 }
  t.strictSame(planned.exited(2, { failed: false, served: true }), [])
  t.strictSame(planned.exited(2, { excused: true }), [])
  t.strictSame(planned.exited(1, { served: true }), [])
  t.strictSame(planned.exited(2, { role: 'service' }), [])
  t.equal(planned.state.failure, undefined)
})

t.test('an app that has never served has nothing in its place: where it listens is not known', async (t) => {
  const planned = new Planned(FALLBACK, [{ name: 'shell', count: 1 }])
  t.strictSame(planned.exited(1, { failures: 9 }), ['app-failed g1 boot: no database'], 'and is not given up')
  t.strictSame(planned.slots(), ['shell g1 x1'])
  planned.reload(1)
  t.strictSame(planned.slots(), ['w g2 x1', 'shell g1 x1'], 'nor has it while other code is tried')
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database'])
  t.strictSame(planned.slots(), ['shell g1 x1'])
  planned.oldFirst(2)
  t.strictSame(planned.slots(), ['w g3 x2', 'shell g3 x1'])
  planned.members = ['w g3 p1 serving', 'w g3 p2 serving']
  t.strictSame(planned.serving(1, 3), ['settled g3 by 1', 'done 2 g3'])
})

t.test('a fallback that ends changes nothing: it is launched again', async (t) => {
  const planned = failed()
  t.strictSame(planned.exited(2, { fallback: true, served: true, failures: 9 }), [])
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
})

t.test('the fallback is one, whatever is scaled', async (t) => {
  const planned = failed({ spare: 1 })
  planned.take({ type: 'scale', workers: 5 })
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
})

t.test('the next old-first reload ends it before anything is known of the new code', async (t) => {
  const planned = failed()
  t.strictSame(planned.oldFirst(2), ['prepare g3 for 2, old first'])
  t.strictSame(planned.slots(), ['w g3 x2'])
  t.equal(planned.state.failure, undefined)
  t.strictSame(planned.exited(3), ['failed 2 g3 boot: no database', 'app-failed g3 boot: no database'])
  t.strictSame(planned.slots(), ['w g3 x1 fallback'])
})

t.test('in a reload that is new before old it serves until there is something better', async (t) => {
  const planned = failed({ settle: 0 })
  t.strictSame(planned.reload(2), ['prepare g3 for 2'])
  t.strictSame(planned.slots(), ['w g3 x1', 'w g2 x1 fallback'])
  t.match(
    planned.desired(),
    { oldFirst: false, capacity: 1, surge: 2 },
    'there is one that is not to leave, and room for all'
  )
  t.strictSame(planned.exited(3), ['failed 2 g3 boot: no database'])
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
  planned.reload(3)
  planned.members = ['w g2 p1 serving fallback', 'w g4 p1 serving']
  t.strictSame(planned.serving(2, 4), ['settled g4 by 2'])
  t.strictSame(planned.slots(), ['w g4 x2'])
  planned.members = ['w g4 p1 serving', 'w g4 p2 serving']
  t.strictSame(planned.serving(2, 4), ['done 3 g4'])
  t.equal(planned.state.failure, undefined)
})

t.test('a reload that waited for one that fails begins from there', async (t) => {
  const planned = rolling(FALLBACK)
  planned.reload(2)
  const effects = planned.exited(2)
  t.strictSame(effects, ['failed 1 g2 boot: no database', 'app-failed g2 boot: no database', 'prepare g3 for 2'])
  t.strictSame(planned.slots(), ['w g3 x1', 'w g2 x1 fallback'])
})

t.test('a fallback is no warm worker: it cannot become a mold', async (t) => {
  const planned = failed({ fork: true })
  t.strictSame(planned.slots(), ['w g2 x1 fallback'], 'nor has the app that failed any')
  t.strictSame(refork(planned, 2), ['refused 2: not-molded'])
  const waiting = rolling({ ...FALLBACK, fork: true })
  waiting.state = { ...waiting.state, molded: [1] }
  waiting.oldFirst(7)
  t.strictSame(refork(waiting, 2), [])
  t.strictSame(waiting.exited(3).slice(2), ['refused 2: not-molded'])
  t.equal(waiting.state.roll, undefined)
})

t.test('a mold of new code that does not load fails the reload at once', async (t) => {
  const planned = Planned.serving({ fork: true, ...FALLBACK })
  planned.oldFirst(1)
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1', 'fw g2 x2'])
  const effects = planned.exited(2, { role: 'mold' })
  t.strictSame(effects, ['failed 1 g2 boot: no database', 'app-failed g2 boot: no database'])
  t.strictSame(planned.slots(), ['w g2 x1 fallback'])
})

t.test('a first mold that does not load is no reason to give up, where there is a fallback', async (t) => {
  const planned = new Planned({ fork: true, ...FALLBACK })
  t.strictSame(planned.exited(1, { role: 'mold', failures: 3 }), ['app-failed g1 boot: no database'])
  t.strictSame(planned.slots(), [])
})

t.test('an app that crashed after a reload has its fallback, and no rollback begins by itself', async (t) => {
  const planned = new Planned({ fork: true, settle: 0, rollbackShare: 0.1, ...FALLBACK })
  planned.members = ['m g1 p1 ready', 'fw g1 p1 serving', 'fw g1 p2 serving']
  planned.serving(2, 1)
  planned.reload(1)
  planned.members = ['m g1 p1 ready', 'm g2 p1 ready', 'fw g2 p1 serving', 'fw g2 p2 serving']
  planned.serving(3, 2)
  t.strictSame(planned.exited(2, { served: true })[0], 'app-failed g2 crash: no database')
  t.strictSame(planned.slots(), ['m g1 x1', 'w g2 x1 fallback'], 'spawned, whatever the app is')
  t.strictSame(rollback(planned, 2)[0], 'roll-back g2 to g1', 'but one can be asked for')
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x1', 'w g2 x1 fallback'])
  planned.members = ['m g1 p1 ready', 'fw g1 p1 serving', 'fw g1 p2 serving']
  planned.serving(2, 1)
  t.match(planned.state, { current: 1, failure: undefined })
})

const ERROR = { name: 'Error', message: 'no entry', stack: '' }
