import t from 'tap'
import { Planned } from './plan-kit.js'

const MINUTE = 60_000

/** A cluster of two forked workers that serve, of generation 1. */
function serving(settings = {}): Planned {
  const planned = new Planned({ fork: true, settle: 0, ...settings })
  planned.members = ['m g1 p1 ready', 'fw g1 p1 serving', 'fw g1 p2 serving']
  planned.serving(2, 1)
  return planned
}

/** The same with a reload, request 1, that is done. */
function reloaded(settings = {}): Planned {
  const planned = serving(settings)
  planned.reload(1)
  planned.members = ['m g1 p1 ready', 'm g2 p1 ready', 'fw g2 p1 serving', 'fw g2 p2 serving']
  planned.serving(3, 2)
  return planned
}

/** The same with a refork, request 1, that has chosen its worker. */
function promoting(): Planned {
  const planned = serving()
  planned.take({ type: 'refork', request: 1 })
  return planned
}

const refork = (planned: Planned, request: number) => planned.take({ type: 'refork', request })
const rollback = (planned: Planned, request: number) => planned.take({ type: 'rollback', request })
const moldExit = (planned: Planned, generation: number, rest = {}) => {
  return planned.exited(generation, { role: 'mold', ...rest })
}
const error = { name: 'Error', message: 'a socket', stack: '' }

t.test('a generation that is forked has a mold, and its workers come from it', async (t) => {
  const planned = new Planned({ fork: true })
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
})

t.test('where nothing is forked there is no mold', async (t) => {
  t.strictSame(new Planned({ fork: false }).slots(), ['w g1 x2'])
})

t.test('a reload has a mold of its own, beside the old one', async (t) => {
  const planned = serving()
  planned.reload(1)
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1', 'fw g2 x1', 'fw g1 x2'])
})

t.test('forking that is switched off or on holds from the next generation on', async (t) => {
  const planned = serving()
  planned.take({ type: 'settings', settings: { fork: false } })
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
  planned.reload(1)
  t.strictSame(planned.slots(), ['m g1 x1', 'w g2 x1', 'fw g1 x2'])
})

t.test('a mold that is not clean: the generation is spawned', async (t) => {
  const planned = new Planned({ fork: true })
  planned.take({ type: 'mold-unclean', generation: 1, fatal: false, error })
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('a mold that is not clean where workers must be forked gives the start up, and fails a reload', async (t) => {
  const planned = new Planned({ fork: true })
  t.strictSame(planned.take({ type: 'mold-unclean', generation: 1, fatal: true, error }), ['give-up: a socket'])
  const later = serving()
  later.reload(1)
  const effects = later.take({ type: 'mold-unclean', generation: 2, fatal: true, error })
  t.strictSame(effects, ['failed 1 g2 boot: a socket'])
  t.strictSame(later.slots(), ['m g1 x1', 'fw g1 x2'])
})

t.test('a mold made again that is not clean ends no cluster that serves', async (t) => {
  const planned = serving()
  t.strictSame(planned.take({ type: 'mold-unclean', generation: 1, fatal: true, error }), [])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('new code whose mold does not load fails the reload', async (t) => {
  const planned = serving()
  planned.reload(1)
  t.strictSame(moldExit(planned, 2), ['failed 1 g2 boot: no database'])
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'], 'and its mold is wanted no more')
})

t.test('a first mold that does not load is tried again, and then given up', async (t) => {
  const planned = new Planned({ fork: true })
  t.strictSame(moldExit(planned, 1, { failures: 2 }), [])
  t.strictSame(moldExit(planned, 1, { failures: 3 }), ['give-up: no database'])
})

t.test('a mold that is lost is replaced; one that cannot be kept alive is done without', async (t) => {
  const planned = serving()
  t.strictSame(moldExit(planned, 1, { served: true }), [])
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
  t.strictSame(moldExit(planned, 1, { failures: 3 }), ['mold-lost g1: no database'])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('a worker that could not be forked says nothing of its code', async (t) => {
  const planned = serving()
  planned.reload(1)
  t.strictSame(planned.exited(2, { excused: true, failures: 9 }), [])
  t.equal(planned.phase, 'booting')
})

t.test('the mold before is kept for rollbackWindow after a reload, and no longer', async (t) => {
  const planned = reloaded()
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1', 'fw g2 x2'])
  planned.now = MINUTE - 1
  t.strictSame(planned.tick(), [`look-again ${MINUTE}`])
  planned.now = MINUTE
  t.strictSame(planned.tick(), [])
  t.strictSame(planned.slots(), ['m g2 x1', 'fw g2 x2'])
})

t.test('without a rollbackWindow nothing is kept', async (t) => {
  t.strictSame(reloaded({ rollbackWindow: 0 }).slots(), ['m g2 x1', 'fw g2 x2'])
})

t.test('a rollback rolls to the mold before, without settle', async (t) => {
  const planned = reloaded({ settle: 5_000 })
  planned.now = 5_000
  planned.tick()
  planned.tick()
  const from = planned.now
  t.strictSame(rollback(planned, 2), ['roll-back g2 to g1'])
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1', 'fw g1 x1', 'fw g2 x2'])
  planned.members = ['m g1 p1 ready', 'm g2 p1 ready', 'fw g1 p1 serving', 'fw g2 p1 serving', 'fw g2 p2 serving']
  t.strictSame(planned.serving(3, 1), ['settled g1 by 3'])
  planned.members = ['m g1 p1 ready', 'm g2 p1 ready', 'fw g1 p1 serving', 'fw g1 p2 serving']
  t.strictSame(planned.tick(), ['done 2 g1'])
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
  t.equal(planned.now, from)
  t.equal(planned.state.latest, 2, 'the next reload is generation 3')
})

t.test(
  'a worker of the time before that leaves during a rollback does not fail it, its first worker does',
  async (t) => {
    const planned = reloaded()
    rollback(planned, 2)
    t.strictSame(planned.exited(1, { id: 2, served: true, failed: false }), [])
    t.equal(planned.phase, 'booting')
    t.strictSame(planned.exited(1, { id: 3 }), ['failed 2 g1 boot: no database', `look-again ${MINUTE}`])
  }
)

t.test('a rollback calls a running reload back, and the one that waits', async (t) => {
  const planned = serving({ settle: 5_000 })
  planned.reload(1)
  planned.reload(9)
  t.strictSame(rollback(planned, 2), [
    'superseded 9',
    'failed 1 g2 rollback: it was called back by a rollback',
    'done 2 g1'
  ])
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
})

t.test('there is nothing to roll back to', async (t) => {
  t.strictSame(rollback(serving(), 1), ['refused 1: nothing-before'])
  const late = reloaded()
  late.now = MINUTE
  t.strictSame(rollback(late, 2), ['refused 2: nothing-before'])
  const lost = reloaded()
  moldExit(lost, 1, { served: true })
  t.strictSame(lost.slots(), ['m g2 x1', 'fw g2 x2'], 'the mold before is not made again')
  t.strictSame(rollback(lost, 2), ['refused 2: nothing-before'])
})

t.test('a generation that loses more than its share is rolled back by itself', async (t) => {
  const planned = reloaded()
  t.strictSame(planned.exited(2, { served: true }), [`look-again ${MINUTE}`])
  t.strictSame(planned.exited(2, { served: true }), ['roll-back g2 to g1 after 2 crashes'])
})

t.test('crashes do not roll back once the window has passed, after a chosen end, or with a share of 0', async (t) => {
  const late = reloaded()
  late.now = MINUTE
  const chosen = reloaded()
  const off = reloaded({ rollbackShare: 0 })
  for (const planned of [late, off]) for (let i = 0; i < 9; i += 1) planned.exited(2, { served: true })
  for (let i = 0; i < 9; i += 1) chosen.exited(2, { served: true, failed: false })
  for (const planned of [late, chosen, off]) t.equal(planned.state.roll, undefined)
})

t.test('a refork drains the worker that served longest, then rolls from it', async (t) => {
  const planned = serving()
  t.strictSame(refork(planned, 1), ['prepare g2 for 1', 'promote 2 for g2'])
  t.equal(planned.phase, 'promoting')
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'], 'nothing else changes meanwhile')
  planned.members = ['m g1 p1 ready', 'm g2 p1 promoted', 'fw g1 p2 serving', 'fw g1 p1 serving']
  t.strictSame(planned.take({ type: 'promoted', id: 2, generation: 2 }), [])
  t.equal(planned.phase, 'booting')
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1', 'fw g2 x1', 'fw g1 x2'])
  planned.members = ['m g1 p1 ready', 'm g2 p1 promoted', 'fw g2 p1 serving', 'fw g2 p2 serving']
  t.strictSame(planned.serving(3, 2), ['settled g2 by 3', 'done 1 g2'])
  t.strictSame(planned.slots(), ['m g2 x1', 'fw g2 x2'])
})

t.test('a worker that is not fit to be a mold: another is tried, then it is given up', async (t) => {
  const planned = promoting()
  t.strictSame(planned.take({ type: 'not-promoted', id: 2, error }), ['promote 3 for g2'])
  t.strictSame(planned.take({ type: 'not-promoted', id: 3, error }), ['failed 1 g2 promote: a socket'])
  t.equal(planned.state.roll, undefined)
})

t.test('where the app brings a warmup a fork of the mold is warmed up instead', async (t) => {
  const planned = promoting()
  planned.take({ type: 'settings', settings: { warmup: true } })
  planned.take({ type: 'not-promoted', id: 2, error })
  t.strictSame(planned.take({ type: 'not-promoted', id: 3, error }), ['warm-up g2'])
  t.strictSame(planned.slots(), ['m g1 x1', 'm g2 x1 of=1', 'fw g2 x1', 'fw g1 x2'])
  t.match(planned.desired().slots[1], { role: 'mold', from: 'mold', parent: 1 })
  const effects = planned.take({ type: 'mold-unclean', generation: 2, fatal: false, error })
  t.strictSame(effects, ['failed 1 g2 promote: a socket'], 'unless it is not clean either')
})

t.test('a refork whose mold cannot be kept alive fails: there is nothing to fork from', async (t) => {
  const planned = promoting()
  const effects = moldExit(planned, 1, { failures: 3, served: true })
  t.strictSame(effects, ['mold-lost g1: no database', 'failed 1 g2 promote: no database'])
})

t.test('a worker that dies while it is promoted is none that is fit', async (t) => {
  const planned = promoting()
  planned.members = ['m g1 p1 ready', 'fw g1 p2 launching', 'fw g1 p2 serving']
  t.strictSame(planned.exited(1, { id: 2, served: true }), ['promote 3 for g2'])
})

t.test('spawned workers cannot be reforked', async (t) => {
  t.strictSame(refork(Planned.serving(), 1), ['refused 1: not-molded'])
})

t.test('a refork waits for a reload, and never stands for one', async (t) => {
  const planned = serving({ settle: 5_000 })
  planned.reload(1)
  t.strictSame(refork(planned, 2), [])
  t.strictSame(planned.reload(3), ['superseded 2'])
  t.strictSame(refork(planned, 4), ['superseded 4'])
})

t.test('a refork that waited begins at once when the reload is done', async (t) => {
  const planned = serving()
  planned.reload(1)
  refork(planned, 2)
  planned.members = ['m g1 p1 ready', 'm g2 p1 ready', 'fw g2 p1 serving', 'fw g2 p2 serving']
  const effects = planned.serving(3, 2)
  t.strictSame(effects, ['settled g2 by 3', 'done 1 g2', 'prepare g3 for 2', 'promote 3 for g3'])
})

t.test('a stop refuses them all', async (t) => {
  const planned = reloaded()
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(refork(planned, 2), ['refused 2'])
  t.strictSame(rollback(planned, 3), ['refused 3'])
  t.strictSame(planned.slots(), [])
})
