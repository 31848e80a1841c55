import t from 'tap'
import { Planned } from './plan-kit.js'

const error = { name: 'Error', message: 'a socket', stack: '' }
const prime = (planned: Planned, generation: number, rest = {}) => planned.take({ type: 'prime', generation, ...rest })
const ready = (planned: Planned, generation: number) => {
  return planned.take({ type: 'ready', id: 9, role: 'mold', generation })
}
const unclean = (planned: Planned, generation: number) => {
  return planned.take({ type: 'mold-unclean', generation, fatal: false, error })
}
const baseExit = (planned: Planned, generation: number, rest = {}) => {
  return planned.exited(generation, { role: 'mold', ...rest })
}

/** Two workers that serve, of generation 1, and a base that is ready. */
function primed(settings = {}): Planned {
  const planned = Planned.serving(settings)
  prime(planned, -1)
  ready(planned, -1)
  return planned
}

t.test('a base is made beside what serves, and is used when it is ready', async (t) => {
  const planned = Planned.serving()
  t.strictSame(prime(planned, -1), [])
  t.strictSame(planned.slots(), ['m g-1 x1', 'w g1 x2'])
  t.strictSame(ready(planned, -1), ['primed g-1'])
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g1 x2 of=-1'])
})

t.test('workers of every generation come from it', async (t) => {
  const planned = primed()
  planned.reload(1)
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g2 x1 of=-1', 'fw g1 x2 of=-1'])
  planned.oldFirst(2)
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g3 x2 of=-1'])
})

t.test('those of a generation with a mold of its own, too', async (t) => {
  const planned = new Planned({ fork: true })
  prime(planned, -1)
  ready(planned, -1)
  t.strictSame(planned.slots(), ['m g-1 x1', 'm g1 x1', 'fw g1 x2 of=-1'])
})

t.test('a fallback does not: it must not depend on what the app loads', async (t) => {
  const planned = primed({ fallback: true })
  planned.exited(1, { served: true })
  t.strictSame(planned.slots(), ['m g-1 x1', 'w g1 x1 fallback'])
})

t.test('a service does not either', async (t) => {
  const planned = Planned.serving({}, [{ name: 'shell', count: 1 }])
  prime(planned, -1)
  ready(planned, -1)
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g1 x2 of=-1', 'shell g1 x1'])
})

t.test('another is made beside the one in use, and takes its place when it is ready', async (t) => {
  const planned = primed()
  t.strictSame(prime(planned, -2), [])
  t.strictSame(planned.slots(), ['m g-1 x1', 'm g-2 x1', 'fw g1 x2 of=-1'])
  t.strictSame(ready(planned, -1), [], 'the old one made anew changes nothing')
  t.strictSame(ready(planned, -2), ['primed g-2'])
  t.strictSame(planned.slots(), ['m g-2 x1', 'fw g1 x2 of=-2'])
})

t.test('a third supersedes the second that is not ready', async (t) => {
  const planned = primed()
  prime(planned, -2)
  t.strictSame(prime(planned, -3), ['prime-failed g-2: MAPACHE_RELOAD_SUPERSEDED: another base took its place'])
  t.strictSame(planned.slots(), ['m g-1 x1', 'm g-3 x1', 'fw g1 x2 of=-1'])
  t.strictSame(ready(planned, -2), [])
})

t.test('a standby is one that is used once', async (t) => {
  const planned = Planned.serving()
  prime(planned, -1, { once: true })
  t.strictSame(planned.slots(), ['m g-1 x1 once', 'w g1 x2'])
  ready(planned, -1)
  t.strictSame(planned.slots(), ['m g-1 x1 once', 'fw g1 x2 of=-1'])
  t.strictSame(baseExit(planned, -1, { failed: false, served: true }), [], 'and when it is one, another is made')
  t.strictSame(planned.slots(), ['m g-1 x1 once', 'fw g1 x2 of=-1'])
})

t.test('a base that is not clean is given up: workers are launched as before', async (t) => {
  const planned = Planned.serving()
  prime(planned, -1)
  t.strictSame(unclean(planned, -1), ['prime-failed g-1: a socket'])
  t.strictSame(planned.slots(), ['w g1 x2'])
  const other = primed()
  prime(other, -2)
  t.strictSame(unclean(other, -2), ['prime-failed g-2: a socket'])
  t.strictSame(other.slots(), ['m g-1 x1', 'fw g1 x2 of=-1'], 'and the one in use stays')
})

t.test('a base in use that is not clean when it is made anew is lost', async (t) => {
  const planned = primed()
  t.strictSame(unclean(planned, -1), ['mold-lost g-1: a socket'])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('one that does not load is given up at once', async (t) => {
  const planned = Planned.serving()
  prime(planned, -1)
  t.strictSame(baseExit(planned, -1), ['prime-failed g-1: no database'])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('one that was asked to leave is made anew', async (t) => {
  const planned = Planned.serving()
  prime(planned, -1)
  t.strictSame(baseExit(planned, -1, { failed: false }), [])
  t.strictSame(planned.slots(), ['m g-1 x1', 'w g1 x2'])
})

t.test('one in use that is lost is made anew, and done without when it cannot be kept alive', async (t) => {
  const planned = primed()
  t.strictSame(baseExit(planned, -1, { served: true, failures: 2 }), [])
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g1 x2 of=-1'])
  t.strictSame(baseExit(planned, -1, { failures: 3 }), ['mold-lost g-1: no database'])
  t.strictSame(planned.slots(), ['w g1 x2'])
})

t.test('what becomes of a base fails no reload and no app', async (t) => {
  const planned = primed({ fallback: true })
  planned.oldFirst(1)
  t.strictSame(baseExit(planned, -1, { failures: 3 }), ['mold-lost g-1: no database'])
  t.strictSame(planned.slots(), ['w g2 x2'])
  t.match(planned.state, { roll: { to: 2 }, failure: undefined })
})

t.test('a base that nobody wants any more says nothing', async (t) => {
  const planned = primed()
  prime(planned, -2)
  ready(planned, -2)
  t.strictSame(baseExit(planned, -1, { failures: 9 }), [])
  t.strictSame(unclean(planned, -1), [])
})

t.test('it is there before the first worker serves, and nothing of it in a stop', async (t) => {
  const planned = new Planned()
  prime(planned, -1)
  ready(planned, -1)
  t.strictSame(planned.slots(), ['m g-1 x1', 'fw g1 x2 of=-1'])
  planned.take({ type: 'stop', mode: 'graceful' })
  t.strictSame(planned.slots(), [])
  t.strictSame(prime(planned, -2), [])
  t.strictSame(planned.slots(), [])
})
