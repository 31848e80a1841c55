import t from 'tap'
import { until } from '../support/fixture.js'
import { Staged } from './supervisor-kit.js'

t.test('one that is to go for another reason, too, goes though it is well again', async (t) => {
  for (const how of ['recycle', 'signal'] as const) {
    const staged = new Staged(t, { workers: 1 })
    await staged.start()
    staged.say(1, { type: 'health', healthy: false })
    const member = staged.supervisor.roster.get(1)
    t.match(member, { stale: { reason: 'unhealthy' } })
    let left = how === 'signal'
    if (how === 'signal') staged.say(1, { type: 'leave' })
    else void staged.supervisor.recycle(1).then(() => (left = true))
    staged.say(1, { type: 'health', healthy: true })
    t.match(member, { stale: { reason: how } })
    staged.settle()
    t.equal(member?.state, 'retiring', how)
    await until(() => left, 'the answer')
  }
})

t.test('one that is well again before it was told to leave stays', async (t) => {
  const staged = new Staged(t, { workers: 1 })
  await staged.start()
  staged.say(1, { type: 'health', healthy: false })
  staged.say(1, { type: 'health', healthy: true })
  t.match(staged.supervisor.roster.get(1), { state: 'serving', stale: undefined })
})
