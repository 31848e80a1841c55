import t from 'tap'
import { canMove, MOVES, type State, transition } from '#core/cluster/states.js'

/** The table, written a second time on purpose: a change to either has to be meant. */
const LEGAL = [
  'launching ready',
  'launching exited',
  'ready serving',
  'ready retiring',
  'ready exited',
  'serving retiring',
  'serving exited',
  'retiring promoted',
  'promoted retiring',
  'retiring exited',
  'promoted exited'
]
const STATES = ['launching', 'ready', 'serving', 'retiring', 'promoted', 'exited'] as const

t.test('the table has every state and no other', async (t) => {
  t.strictSame(Object.keys(MOVES).sort(), [...STATES].sort())
})

for (const from of STATES) {
  for (const to of STATES) {
    const legal = LEGAL.includes(`${from} ${to}`)
    t.test(`from ${from} to ${to} is ${legal ? 'a move' : 'refused'}`, async (t) => {
      const member: { id: number; state: State; since: number } = { id: 7, state: from, since: 100 }
      t.equal(canMove(from, to), legal)
      if (legal) {
        transition(member, to, 250)
        t.strictSame(member, { id: 7, state: to, since: 250 })
        return
      }
      t.throws(() => transition(member, to, 250), {
        code: 'MAPACHE_ILLEGAL_TRANSITION',
        message: `MAPACHE_ILLEGAL_TRANSITION: worker=7 cannot go from ${from} to ${to}`
      })
      t.strictSame(member, { id: 7, state: from, since: 100 }, 'nothing is changed')
    })
  }
}
