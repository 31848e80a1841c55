import t from 'tap'
import { Planned } from './plan-kit.js'

t.test('at the start generation 1 is wanted, with its spares and services', async (t) => {
  const planned = new Planned({ workers: 3, spare: 1 }, [{ name: 'shell', count: 2 }])
  t.strictSame(planned.tick(), [])
  t.strictSame(planned.slots(), ['w g1 x3 +1', 'shell g1 x2'])
  const { capacity, surge, stopping, bootTimeout, hangTimeout, drainTimeout, maxRetiring } = planned.desired()
  t.strictSame({ capacity, surge, stopping, maxRetiring }, { capacity: 3, surge: 1, stopping: 'no', maxRetiring: 2 })
  t.strictSame([bootTimeout, hangTimeout, drainTimeout], [30_000, 20_000, 90_000])
})

t.test('a reload prepares a new generation and wants one worker of it beside the old ones', async (t) => {
  const planned = Planned.serving({ spare: 1 }, [{ name: 'shell', count: 1 }])
  t.strictSame(planned.reload(1), ['prepare g2 for 1'])
  t.equal(planned.phase, 'booting')
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x2 +1', 'shell g1 x1'])
})

t.test('from reload to done: booting, settling, rolling', async (t) => {
  const planned = Planned.serving({}, [{ name: 'shell', count: 1 }])
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  planned.now = 500
  t.strictSame(planned.serving(3, 2), ['look-again 1500'])
  t.equal(planned.phase, 'settling')
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x2', 'shell g1 x1'])
  planned.now = 1_499
  t.strictSame(planned.tick(), ['look-again 1500'])
  planned.now = 1_500
  t.strictSame(planned.tick(), ['settled g2 by 3'])
  t.equal(planned.phase, 'rolling')
  t.strictSame(planned.slots(), ['w g2 x2', 'shell g2 x1'])
  t.equal(planned.state.current, 1, 'the old generation is the current one until all is done')
  planned.members = ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving', 'w g2 p2 ready']
  t.strictSame(planned.tick(), [])
  planned.members = ['w g1 p1 retiring', 'w g1 p2 retiring', 'w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.tick(), ['done 1 g2'])
  t.equal(planned.phase, undefined)
  t.equal(planned.state.current, 2)
  t.strictSame(planned.slots(), ['w g2 x2', 'shell g2 x1'])
})

t.test('a roll does not wait for the drain of the last old worker: it is looked at again at once', async (t) => {
  const planned = Planned.rolling()
  planned.members = ['w g1 p1 retiring', 'w g1 p2 serving', 'w g2 p1 serving', 'w g2 p2 serving']
  planned.now = 7_000
  t.strictSame(planned.serving(4, 2), ['look-again 7000'])
  t.equal(planned.phase, 'rolling', 'an old worker is there that has not been told to retire')
})

t.test('what is left of the old generation keeps a roll from being done', async (t) => {
  const fresh = ['w g2 p1 serving', 'w g2 p2 serving']
  for (const state of ['launching', 'ready', 'serving']) {
    const planned = Planned.rolling()
    planned.members = [`w g1 p2 ${state}`, ...fresh]
    t.strictSame(planned.tick(), ['look-again 0'], state)
  }
  for (const state of ['retiring', 'serving killed', 'launching killed']) {
    const planned = Planned.rolling()
    planned.members = [`w g1 p2 ${state}`, ...fresh]
    t.strictSame(planned.tick(), ['done 1 g2'], state)
  }
})

t.test('a roll is not done while fewer new workers serve than are wanted', async (t) => {
  for (const second of ['launching', 'ready', 'ready activated', 'serving killed', 'serving deaf', 'retiring']) {
    const planned = Planned.rolling()
    planned.members = ['w g2 p1 serving', `w g2 p2 ${second}`]
    t.strictSame(planned.tick(), [], second)
    t.equal(planned.phase, 'rolling', second)
  }
})

t.test('services have no say in when a roll is done', async (t) => {
  const planned = Planned.rolling({}, [{ name: 'shell', count: 1 }])
  planned.members = ['w g2 p1 serving', 'w g2 p2 serving', 'shell g1 p1 serving', 'shell g2 p1 launching']
  t.strictSame(planned.tick(), ['done 1 g2'])
})

t.test('with settle 0 the roll goes on with the first worker that serves', async (t) => {
  const planned = Planned.serving({ settle: 0 })
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  t.strictSame(planned.serving(3, 2), ['settled g2 by 3'])
  t.equal(planned.phase, 'rolling')
})

t.test('a service, an old worker, or a second worker that serves does not begin to settle', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  t.strictSame(planned.take({ type: 'serving', id: 7, role: 'service', generation: 2 }), [])
  t.strictSame(planned.serving(8, 1), [])
  t.equal(planned.phase, 'booting')
  planned.members.push('w g2 p1 serving')
  t.strictSame(planned.serving(3, 2), ['look-again 1000'])
  planned.now = 400
  t.strictSame(planned.serving(4, 2), ['look-again 1000'], 'settle is waited once')
})

t.test('a first worker that is leaving at the end of settle has not proved itself', async (t) => {
  for (const state of ['retiring', 'serving stale', 'serving deaf', 'serving killed']) {
    const planned = Planned.serving()
    planned.reload(1)
    planned.members.push('w g2 p1 serving')
    planned.serving(3, 2)
    planned.members = ['w g1 p1 serving', 'w g1 p2 serving', `w g2 p1 ${state}`, 'w g2 p1 serving']
    planned.now = 5_000
    t.strictSame(planned.tick(), [], state)
    t.equal(planned.phase, 'settling', state)
    planned.members.splice(2, 1)
    t.strictSame(planned.exited(2, { id: 3, served: true }), ['failed 1 g2 settle: no database'], state)
  }
})

t.test('options that the new code brings are taken over in the middle of the roll', async (t) => {
  const planned = Planned.rolling()
  t.strictSame(planned.take({ type: 'settings', settings: { workers: 3, surge: 2, drainTimeout: 5 } }), [])
  t.strictSame(planned.slots(), ['w g2 x3'])
  const { capacity, surge, drainTimeout } = planned.desired()
  t.strictSame({ capacity, surge, drainTimeout }, { capacity: 3, surge: 2, drainTimeout: 5 })
  planned.members = ['w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.tick(), [], 'not done with two of three')
})

t.test('settle that changes while a worker settles holds from the next roll on', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  planned.members.push('w g2 p1 serving')
  planned.serving(3, 2)
  t.strictSame(planned.take({ type: 'settings', settings: { settle: 60_000 } }), ['look-again 1000'])
})

t.test('scaling holds in every phase of a roll', async (t) => {
  const planned = Planned.serving({ spare: 1 })
  planned.take({ type: 'scale', workers: 4 })
  t.strictSame(planned.slots(), ['w g1 x4 +1'])
  planned.reload(1)
  planned.take({ type: 'scale', workers: 5 })
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x5 +1'])
  t.equal(planned.desired().capacity, 5)
  planned.members.push('w g2 p1 serving')
  planned.serving(3, 2)
  planned.take({ type: 'scale', workers: 1 })
  t.strictSame(planned.slots(), ['w g2 x1 +1', 'w g1 x1'], 'the spares are renewed first')
  planned.now = 1_000
  planned.take({ type: 'scale', workers: 3 })
  t.equal(planned.phase, 'rolling')
  t.strictSame(planned.slots(), ['w g2 x3 +1'])
})

t.test('scaled down to what serves, a roll is done', async (t) => {
  const planned = Planned.rolling({ workers: 3 })
  planned.members = ['w g2 p1 serving', 'w g2 p2 serving', 'w g2 p3 launching']
  t.strictSame(planned.tick(), [])
  t.strictSame(planned.take({ type: 'scale', workers: 2 }), ['done 1 g2'])
})
