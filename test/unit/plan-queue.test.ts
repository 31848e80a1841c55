import t from 'tap'
import { Planned } from './plan-kit.js'

t.test('a reload during a roll waits, and a newer one takes its place', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  t.strictSame(planned.reload(2), [], 'waits')
  t.strictSame(planned.reload(3), ['superseded 2'])
  t.strictSame(planned.reload(4), ['superseded 3'])
  t.equal(planned.state.latest, 2, 'none of them has a generation yet')
  t.equal(planned.state.roll?.request, 1, 'the one that runs is not touched')
})

t.test('the reload that waits begins when the running one is done, from the generation that serves then', async (t) => {
  const planned = Planned.rolling()
  planned.reload(2)
  planned.members = ['w g2 p1 serving', 'w g2 p2 serving']
  t.strictSame(planned.tick(), ['done 1 g2', 'prepare g3 for 2'])
  t.strictSame(planned.slots(), ['w g3 x1', 'w g2 x2'])
  t.equal(planned.state.queued, undefined)
})

t.test('the reload that waits begins when the running one fails, from the generation that serves still', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  planned.reload(2)
  t.strictSame(planned.exited(2), ['failed 1 g2 boot: no database', 'prepare g3 for 2'])
  t.strictSame(planned.slots(), ['w g3 x1', 'w g1 x2'])
})

t.test('generations are numbered on, whether or not one failed', async (t) => {
  const planned = Planned.serving()
  for (const request of [1, 2, 3]) {
    t.strictSame(planned.reload(request), [`prepare g${request + 1} for ${request}`])
    planned.exited(request + 1)
  }
  t.equal(planned.state.current, 1)
  t.equal(planned.state.latest, 4)
})

t.test('a generation that cannot be prepared fails at once, and the next one in turn begins', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  planned.reload(2)
  const error = { name: 'Error', message: 'no entry', stack: '' }
  const failed = (generation: number) => planned.take({ type: 'generation-failed', generation, error })
  t.strictSame(failed(2), ['failed 1 g2 prepare: no entry', 'prepare g3 for 2'])
  t.strictSame(failed(2), [], 'one that is over already')
  t.strictSame(failed(3), ['failed 2 g3 prepare: no entry'])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('a first worker that ends before it serves fails the reload in boot', async (t) => {
  for (const timedOut of [false, true]) {
    const planned = Planned.serving()
    planned.reload(1)
    const said = timedOut ? ' timed out' : ''
    t.strictSame(planned.exited(2, { timedOut }), [`failed 1 g2 boot${said}: no database`])
    t.strictSame(planned.slots(), ['w g1 x2'])
    t.equal(planned.state.current, 1)
  }
})

t.test('a first worker that ends within settle fails the reload in settle, however it ended', async (t) => {
  for (const failed of [true, false]) {
    const planned = Planned.serving()
    planned.reload(1)
    planned.members.push('w g2 p1 serving')
    planned.serving(3, 2)
    planned.members.pop()
    t.strictSame(planned.exited(2, { served: true, failed }), ['failed 1 g2 settle: no database'])
    t.strictSame(planned.slots(), ['w g1 x2'])
  }
})

t.test('a later worker that does not boot fails the roll, and the old generation is wanted again', async (t) => {
  const planned = Planned.rolling({}, [{ name: 'shell', count: 1 }])
  planned.members = ['w g1 p2 serving', 'w g2 p1 serving']
  t.strictSame(planned.exited(2, { timedOut: true }), ['failed 1 g2 roll timed out: no database'])
  t.strictSame(planned.slots(), ['w g1 x2', 'shell g1 x1'])
  t.equal(planned.state.current, 1)
})

t.test('after settle, a worker that served and crashed is replaced and does not fail the roll', async (t) => {
  const planned = Planned.rolling()
  t.strictSame(planned.exited(2, { served: true }), [])
  t.equal(planned.phase, 'rolling')
})

t.test('after settle, a worker that was not wanted any more and never served does not fail the roll', async (t) => {
  const planned = Planned.rolling()
  t.strictSame(planned.exited(2, { failed: false }), [])
  t.equal(planned.phase, 'rolling')
})

t.test('the end of an old worker or of a service does not concern the roll', async (t) => {
  const planned = Planned.serving()
  planned.reload(1)
  t.strictSame(planned.exited(1), [])
  t.strictSame(planned.exited(2, { role: 'service' }), [])
  t.equal(planned.phase, 'booting')
})

t.test('a roll whose new workers keep crashing after settle fails, so that the next reload has its turn', async (t) => {
  const planned = Planned.rolling({ workers: 4 })
  planned.reload(2)
  const effects = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((failures) => planned.exited(2, { served: true, failures }))
  t.match(effects.join('; '), /failed 1 g2 .*prepare g3 for 2/)
})
