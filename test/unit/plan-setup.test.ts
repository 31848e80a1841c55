import t from 'tap'
import type { PlanEvent } from '#core/cluster/plan.js'
import { setUpOf } from '#core/cluster/setup.js'
import { Planned } from './plan-kit.js'

type End = Extract<PlanEvent, { type: 'task-ended' }>

function ended(planned: Planned, generation: number, rest: Partial<End> = {}): string[] {
  const error = { name: 'Error', message: 'no table', stack: '' }
  return planned.take({
    type: 'task-ended',
    name: 'setup',
    generation,
    outcome: 'done',
    timedOut: false,
    error,
    ...rest
  })
}

const wanted = (planned: Planned, generation: number) => planned.take({ type: 'setup-wanted', generation })

t.test('at the start nothing is launched before the setup is done', async (t) => {
  const planned = new Planned({ fork: true }, [{ name: 'shell', count: 1 }], true)
  t.strictSame(planned.slots(), ['setup g1 x1'])
  t.strictSame(ended(planned, 1), [])
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2', 'shell g1 x1'])
})

t.test('if it fails the start is given up at once', async (t) => {
  const planned = new Planned({}, [], true)
  t.strictSame(ended(planned, 1, { outcome: 'failed' }), ['give-up setup: no table'])
  t.strictSame(planned.slots(), [], 'and not tried again')
})

t.test('where there is a fallback it fails like an app that does not boot', async (t) => {
  const planned = new Planned({ fallback: true }, [], true)
  t.strictSame(ended(planned, 1, { outcome: 'failed' }), ['app-failed g1 boot: no table'])
  t.strictSame(planned.slots(), [])
})

t.test('a worker that finds a setup in its code comes back after that', async (t) => {
  const planned = new Planned({ fork: true })
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
  wanted(planned, 1)
  wanted(planned, 1)
  t.strictSame(planned.slots(), ['setup g1 x1'])
  ended(planned, 1)
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'])
  wanted(planned, 1)
  t.strictSame(planned.slots(), ['m g1 x1', 'fw g1 x2'], 'and asks but once')
})

t.test('until one serves, workers are told that their setup was looked for and not found', async (t) => {
  const planned = new Planned({}, [], true)
  ended(planned, 1, { outcome: 'none' })
  t.equal(setUpOf(planned.state, 1), 'not-found')
  planned.serving(1, 1)
  t.equal(setUpOf(planned.state, 1), 'ran', 'what replaces it runs none, whatever its code says by then')
  planned.reload(1)
  t.equal(setUpOf(planned.state, 2), undefined, 'it may ask')
  wanted(planned, 2)
  ended(planned, 2)
  t.equal(setUpOf(planned.state, 2), 'ran')
})

t.test('a reload sets up while the old workers serve on', async (t) => {
  const planned = Planned.serving({}, [{ name: 'shell', count: 1 }])
  planned.state = { ...planned.state, setups: { ...planned.state.setups, known: true } }
  t.strictSame(planned.reload(1), ['prepare g2 for 1'])
  t.equal(planned.phase, 'setting-up')
  t.strictSame(planned.slots(), ['setup g2 x1', 'w g1 x2', 'shell g1 x1'])
  planned.exited(1, { served: true })
  t.equal(planned.phase, 'setting-up', 'a crash of an old worker says nothing of it')
  ended(planned, 2)
  t.equal(planned.phase, 'booting')
  t.strictSame(planned.slots(), ['w g2 x1', 'w g1 x2', 'shell g1 x1'])
})

t.test('if it fails the reload fails, and the next one tries again', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  wanted(planned, 2)
  t.strictSame(ended(planned, 2, { outcome: 'failed', timedOut: true }), ['failed 1 g2 setup timed out: no table'])
  t.strictSame(planned.slots(), ['w g1 x2'])
  planned.reload(2)
  t.strictSame(planned.slots(), ['setup g3 x1', 'w g1 x2'])
})

t.test('code that brings none any more is booted, and the next reload does not look for one', async (t) => {
  const planned = Planned.serving({ settle: 0 })
  planned.reload(1)
  wanted(planned, 2)
  ended(planned, 2, { outcome: 'none' })
  t.equal(planned.phase, 'booting')
  planned.exited(2)
  planned.reload(2)
  t.equal(planned.phase, 'booting')
})

t.test('new code that comes to bring one asks for it', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  t.equal(planned.phase, 'booting')
  wanted(planned, 1)
  t.equal(planned.phase, 'booting', 'what replaces an old worker does not')
  wanted(planned, 2)
  t.equal(planned.phase, 'setting-up')
  t.strictSame(planned.exited(2, { failed: false, excused: true }), [], 'the worker that asked has left for it')
})

t.test('a rollback, a refork and a crash set nothing up', async (t) => {
  const planned = Planned.serving({ fork: true, settle: 0 })
  planned.state = { ...planned.state, setups: { ...planned.state.setups, known: true } }
  wanted(planned, 1)
  t.equal(planned.state.setups.first, undefined)
  planned.take({ type: 'refork', request: 1 })
  t.equal(planned.phase, 'promoting')
  wanted(planned, 2)
  t.equal(planned.phase, 'promoting')
})

t.test(
  'old first: the old ones leave, what arrives waits for the setup, and what has failed is not launched',
  async (t) => {
    const planned = Planned.serving()
    planned.state = { ...planned.state, setups: { ...planned.state.setups, known: true } }
    t.strictSame(planned.oldFirst(1), ['prepare g2 for 1, old first'])
    t.strictSame(planned.slots(), ['setup g2 x1'])
    t.match(planned.desired(), { capacity: 0, oldFirst: true })
    ended(planned, 2)
    t.equal(planned.phase, 'rolling')
    t.strictSame(planned.slots(), ['w g2 x2'])

    t.strictSame(planned.oldFirst(2), ['superseded 1', 'prepare g3 for 2, old first'])
    t.strictSame(ended(planned, 2, { outcome: 'failed' }), [], 'that of a reload that was dropped says nothing')
    t.strictSame(ended(planned, 3, { outcome: 'failed' }), ['failed 2 g3 setup: no table'])
    t.strictSame(planned.slots(), [])
    planned.reload(3)
    t.strictSame(planned.slots(), ['setup g4 x1'])
  }
)

t.test('a reload waits for the setup of the start', async (t) => {
  const planned = new Planned({}, [], true)
  t.strictSame(planned.reload(1), [])
  t.strictSame(planned.slots(), ['setup g1 x1'])
  t.strictSame(ended(planned, 1), ['prepare g2 for 1'])
  t.strictSame(planned.slots(), ['setup g2 x1', 'w g1 x2'])
})

t.test('what asks for it only when a reload runs gets it when that has failed', async (t) => {
  const planned = new Planned()
  planned.reload(1)
  wanted(planned, 1)
  t.strictSame(planned.slots(), ['w g2 x1'])
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database'])
  t.strictSame(planned.slots(), ['setup g1 x1'])
})

t.test('a stop ends it, and no teardown follows where nothing has served', async (t) => {
  const planned = new Planned({ teardown: true }, [], true)
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(planned.slots(), [])
})

t.test('the teardown comes last in a graceful stop, once', async (t) => {
  const planned = Planned.serving({ teardown: true }, [{ name: 'shell', count: 1 }])
  planned.take({ type: 'stop', mode: 'graceful' })
  planned.members = ['w g1 p1 retiring', 'shell g1 p1 serving']
  t.strictSame(planned.slots(), ['shell g1 x1'])
  planned.members = ['shell g1 p1 retiring']
  t.strictSame(planned.slots(), [], 'when the services are gone')
  planned.members = []
  t.strictSame(planned.slots(), ['teardown g1 x1'])
  planned.members = ['teardown g1 p1 serving']
  t.strictSame(planned.slots(), ['teardown g1 x1'])
  ended(planned, 1, { name: 'teardown', outcome: 'failed' })
  planned.members = []
  t.strictSame(planned.slots(), [])
})

t.test('a stop now has no teardown', async (t) => {
  const planned = Planned.serving({ teardown: true })
  planned.take({ type: 'stop', mode: 'now' })
  planned.members = []
  t.strictSame(planned.slots(), [])
})
