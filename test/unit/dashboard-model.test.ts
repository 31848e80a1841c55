import t from 'tap'
import { Ghosts } from '#metrics/page/client/ghosts.js'
import { groups, headline, nameOf, replaced, stateOf, steps } from '#metrics/page/client/model.js'
import type { Frame, Process } from '#metrics/page/client/wire.js'

const process = (id: number, change: Partial<Process> = {}): Process => ({
  id,
  role: 'worker',
  name: '',
  generation: 1,
  state: 'serving',
  pid: 100 + id,
  age: 1_000,
  reason: null,
  failures: 0,
  requests: 1,
  p99: 2,
  inFlight: 0,
  utilisation: 0.5,
  memory: null,
  ...change
})

const frame = (change: Partial<Frame> = {}): Frame => ({
  time: 1_000,
  name: 'shop',
  pid: 1,
  version: '0.1.0',
  startedAt: 0,
  generation: 1,
  target: 2,
  serving: 2,
  waiting: 0,
  rollback: null,
  forked: false,
  stopping: false,
  addresses: [],
  roll: null,
  ready: { ok: true, reason: '' },
  requests: 0,
  p99: null,
  inFlight: 0,
  connections: 0,
  memory: null,
  totals: {
    requests: 0,
    serverErrors: 0,
    aborted: 0,
    crashes: 0,
    restarts: 0,
    reloads: { done: 0, failed: 0, rolledback: 0 }
  },
  processes: [process(1), process(2)],
  ...change
})

t.test('the headline says the worst first', (t) => {
  const roll = { generation: 2, kind: 'reload', phase: 'settling' }
  const shown: [Partial<Frame>, string, string][] = [
    [{}, 'good', 'All 2 workers serve'],
    [{ target: 1, serving: 1 }, 'good', 'The worker serves'],
    [{ serving: 1 }, 'busy', '1 of 2 workers serve'],
    [{ roll }, 'busy', 'Reload to generation 2: settling'],
    [{ roll, serving: 1, waiting: 1 }, 'bad', '1 of 2 workers serve; 1 waiting after failures'],
    [{ roll, serving: 0 }, 'bad', 'No worker serves'],
    [{ ready: { ok: false, reason: 'not yet' } }, 'bad', 'not yet'],
    [{ stopping: true, serving: 0 }, 'busy', 'Stopping']
  ]
  for (const [change, tone, text] of shown) t.strictSame(headline(frame(change)), { tone, text })
  t.end()
})

t.test('generations come newest first, services last', (t) => {
  const shown = groups(
    frame({
      generation: 1,
      roll: { generation: 2, kind: 'reload', phase: 'rolling' },
      processes: [
        process(1, { state: 'retiring', reason: 'reload' }),
        process(2),
        process(3, { role: 'mold', state: 'ready', generation: 2 }),
        process(4, { generation: 2, state: 'ready' }),
        process(5, { generation: 2, role: 'service', name: 'metrics/pages' })
      ]
    })
  )
  t.strictSame(
    shown.map(({ title, note, processes }) => [title, note, ...processes.map(({ id }) => id)]),
    [
      ['Generation 2', 'coming · 1 spare, 1 mold', 4, 3],
      ['Generation 1', 'being replaced · 1 retiring, 1 serving', 1, 2],
      ['Services', 'beside the workers', 5]
    ]
  )
  const left = groups(
    frame({ generation: 1, processes: [process(1), process(9, { generation: 2, state: 'retiring' })] })
  )
  t.match(left[0]?.note, /^leaving/, 'what is left of a roll that failed')
  t.equal(groups(frame({ processes: [] })).length, 0)
  t.equal(nameOf(process(5, { role: 'service', name: 'metrics/pages' })), 'metrics/pages')
  t.equal(stateOf(process(5, { role: 'mold', state: 'promoted' })), 'ready')
  t.end()
})

t.test('the phases of a roll', (t) => {
  const at = (kind: string, phase: string) =>
    steps(frame({ roll: { generation: 2, kind, phase } })).map((step) => `${step.name} ${step.at}`)
  t.strictSame(at('reload', 'settling'), ['booting done', 'settling now', 'rolling next'])
  t.strictSame(at('reload', 'soaking'), ['booting done', 'settling done', 'soaking now', 'rolling next'])
  t.strictSame(at('refork', 'promoting'), ['promoting now', 'booting next', 'settling next', 'rolling next'])
  t.strictSame(at('reload', 'dancing').at(-1), 'dancing now')
  t.strictSame(steps(frame()), [])
  const roll = { generation: 2, kind: 'reload', phase: 'rolling' }
  const processes = [process(1), process(3, { generation: 2 }), process(4, { generation: 2, state: 'launching' })]
  t.equal(replaced(frame({ roll, processes })), 1)
  t.end()
})

t.test('a process that has ended is shown for a while', (t) => {
  const ghosts = new Ghosts()
  const before = frame()
  const after = frame({ processes: [process(1)] })
  ghosts.note({ id: 2, reason: 'crash', failed: true, how: 'SIGKILL' }, before, 100)
  ghosts.note({ id: 77, reason: 'crash', failed: true, how: '' }, before, 100)
  t.equal(ghosts.among(before, 200), before, 'not beside itself')
  const [, ghost] = ghosts.among(after, 300).processes
  t.match(ghost, { id: 2, state: 'crashed', reason: 'crash, SIGKILL', requests: null })
  t.equal(ghosts.among(after, 5_100).processes.length, 1)
  ghosts.note({ id: 2, reason: 'reload', failed: false, how: '' }, before, 6_000)
  t.match(ghosts.among(after, 6_001).processes[1], { state: 'gone', reason: 'reload' })
  t.end()
})
