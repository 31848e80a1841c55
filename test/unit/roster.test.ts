import t from 'tap'
import { chooseEnd, type EndReason, type Member, type MemberSpec, Roster } from '#core/cluster/roster.js'

const worker = (place = 1, generation = 1): MemberSpec => ({
  role: 'worker',
  name: '',
  from: 'disk',
  generation,
  place
})
const backoff = { min: 100, max: 30_000 }

/** Launches in a place and lets it end. @returns the account of the place afterwards */
function endOf(roster: Roster, reason: EndReason | undefined, now: number, served?: number) {
  const member = roster.launch(worker(), now)
  if (served !== undefined) {
    roster.ready(member, now)
    roster.serving(member, now)
  }
  if (reason) chooseEnd(member, reason)
  const end = roster.exited(member, now + (served ?? 0), backoff, 0)
  return { ...end, ...roster.place(worker()) }
}

t.test('ids count up and are never given twice', async (t) => {
  const roster = new Roster()
  const first = roster.launch(worker(1), 0)
  const second = roster.launch(worker(2), 0)
  roster.exited(second, 1, backoff, 0)
  const third = roster.launch(worker(2), 2)
  t.strictSame([first.id, second.id, third.id], [1, 2, 3])
})

t.test('a launched member is in the roster, oldest first, until it has exited', async (t) => {
  const roster = new Roster()
  const members = [1, 2, 3].map((place) => roster.launch(worker(place), place * 10))
  t.strictSame(members[1], {
    ...worker(2),
    id: 2,
    state: 'launching',
    launchedAt: 20,
    since: 20,
    seenAt: 20,
    hurried: false,
    killed: false
  })
  t.equal(roster.get(2), members[1])
  roster.exited(members[0] as Member, 50, backoff, 0)
  t.strictSame(roster.members, members.slice(1))
  t.equal(roster.get(1), undefined)
})

t.test('each step is noted with its time', async (t) => {
  const roster = new Roster()
  const member = roster.launch(worker(), 0)
  roster.ready(member, 100)
  t.match(member, { state: 'ready', since: 100, seenAt: 100 })
  roster.serving(member, 200)
  t.match(member, { state: 'serving', since: 200, seenAt: 200, servingAt: 200 })
  roster.retire(member, 'reload', 300)
  t.match(member, { state: 'retiring', since: 300, reason: 'reload', servingAt: 200, seenAt: 200 })
  t.strictSame(roster.exited(member, 400, backoff, 0), { reason: 'reload', failed: false })
  t.equal(member.state, 'exited')
})

t.test('what the table of states does not have is refused', async (t) => {
  const roster = new Roster()
  const member = roster.launch(worker(), 0)
  t.throws(() => roster.serving(member, 1), { code: 'MAPACHE_ILLEGAL_TRANSITION' })
  t.throws(() => roster.retire(member, 'reload', 1), { code: 'MAPACHE_ILLEGAL_TRANSITION' })
  t.equal(member.servingAt, undefined)
  roster.exited(member, 2, backoff, 0)
  t.throws(() => roster.exited(member, 3, backoff, 0), { code: 'MAPACHE_ILLEGAL_TRANSITION' })
  t.throws(() => roster.ready(member, 3), { code: 'MAPACHE_ILLEGAL_TRANSITION' })
})

t.test('the first reason of an end wins', async (t) => {
  const roster = new Roster()
  const member = roster.launch(worker(), 0)
  roster.ready(member, 1)
  roster.serving(member, 2)
  roster.retire(member, 'reload', 3)
  chooseEnd(member, 'drain-timeout')
  t.strictSame(roster.exited(member, 4, backoff, 0), { reason: 'reload', failed: false })
})

t.test('an end that nobody chose is a failure of boot until it has booted, and a crash from then on', async (t) => {
  const ends: [string, (member: Member, roster: Roster) => void, EndReason][] = [
    ['launching', () => {}, 'boot-failed'],
    ['held back', (member, roster) => roster.ready(member, 1), 'crash'],
    [
      'about to serve',
      (member, roster) => {
        roster.ready(member, 1)
        member.activatedAt = 1
      },
      'boot-failed'
    ],
    [
      'serving',
      (member, roster) => {
        roster.ready(member, 1)
        roster.serving(member, 2)
      },
      'crash'
    ]
  ]
  for (const [state, reach, reason] of ends) {
    const roster = new Roster()
    const member = roster.launch(worker(), 0)
    reach(member, roster)
    t.strictSame(roster.exited(member, 3, backoff, 0), { reason, failed: true }, state)
  }
})

t.test('which chosen ends are failures', async (t) => {
  const failures: EndReason[] = ['crash', 'boot-failed', 'boot-timeout', 'hung', 'refused', 'not-listening']
  const others: EndReason[] = [
    'reload',
    'scale-down',
    'recycle',
    'signal',
    'stop',
    'stop-now',
    'unwanted',
    'drain-timeout'
  ]
  for (const reason of failures) t.match(endOf(new Roster(), reason, 0), { reason, failed: true, failures: 1 })
  for (const reason of others) t.match(endOf(new Roster(), reason, 0), { reason, failed: false, failures: 0 })
})

t.test('a place launches at once after its first failure, then waits twice as long each time, up to max', async (t) => {
  const roster = new Roster()
  const waits = Array.from({ length: 12 }, (_, index) => {
    const now = index * 100_000
    const { failures, notBefore } = endOf(roster, undefined, now)
    t.equal(failures, index + 1)
    return notBefore - now
  })
  t.strictSame(waits, [0, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000])
})

t.test('the jitter is what the caller drew', async (t) => {
  const roster = new Roster()
  roster.exited(roster.launch(worker(), 0), 0, backoff, 0.5)
  roster.exited(roster.launch(worker(), 0), 1_000, backoff, 0.5)
  t.equal(roster.place(worker()).notBefore, 1_075)
})

t.test('a service as long as the longest back-off clears the account of its place', async (t) => {
  const roster = new Roster()
  for (const now of [0, 1, 2]) endOf(roster, undefined, now)
  t.match(endOf(roster, undefined, 1_000, 29_999), { failures: 4 }, 'a little too short')
  t.match(endOf(roster, undefined, 100_000, 30_000), { failures: 1, notBefore: 130_000 }, 'then this is the first')
})

t.test('an end that is no failure clears the account only after a long service', async (t) => {
  const roster = new Roster()
  for (const now of [0, 1, 2]) endOf(roster, undefined, now)
  const { notBefore } = roster.place(worker())
  t.match(endOf(roster, 'reload', 10, 500), { failed: false, failures: 3, notBefore })
  t.match(endOf(roster, 'reload', 1_000, 40_000), { failed: false, failures: 0, notBefore: 0 })
})

t.test('each place, role, name and generation has an account of its own', async (t) => {
  const roster = new Roster()
  const failing = { role: 'service', name: 'shell', from: 'disk', generation: 2, place: 1 } as const
  roster.exited(roster.launch(failing, 0), 0, backoff, 0)
  t.equal(roster.place(failing).failures, 1)
  const others: MemberSpec[] = [
    { ...failing, place: 2 },
    { ...failing, generation: 1 },
    { ...failing, name: 'jobs' },
    { ...failing, role: 'worker', name: '' }
  ]
  for (const other of others) t.strictSame(roster.place(other), { failures: 0, notBefore: 0 }, JSON.stringify(other))
})

t.test('the accounts of generations that nobody wants are forgotten', async (t) => {
  const roster = new Roster()
  for (const generation of [1, 2, 3, 12]) roster.exited(roster.launch(worker(1, generation), 0), 0, backoff, 0)
  roster.forgetGenerations(new Set([2, 12]))
  t.strictSame(
    [1, 2, 3, 12].map((generation) => roster.place(worker(1, generation)).failures),
    [0, 1, 0, 1]
  )
})

t.test('a worker that was asked to leave and left by itself did not crash', async (t) => {
  const roster = new Roster()
  const member = roster.launch(worker(), 0)
  roster.ready(member, 1)
  roster.serving(member, 2)
  member.stale = { reason: 'signal', urgent: false }
  t.strictSame(roster.exited(member, 6_000, backoff, 0), { reason: 'signal', failed: false })
})

t.test('what waits after failures can be told to launch at once', async (t) => {
  const roster = new Roster()
  const crash = (role: 'worker' | 'service', place: number) =>
    roster.exited(roster.launch({ ...worker(place), role, name: role === 'service' ? 'jobs' : '' }, 0), 10, backoff, 1)
  for (const _ of ['replaced at once', 'waits']) {
    crash('worker', 1)
    crash('worker', 2)
    crash('service', 1)
  }
  t.equal(roster.waiting('worker', '', 10), 2)
  t.equal(roster.waiting('service', 'jobs', 10), 1)
  t.equal(roster.waiting('worker', '', 10 + backoff.max), 0)
  t.equal(roster.revive(10), 3)
  t.equal(roster.waiting('worker', '', 10), 0)
  t.match(roster.place(worker(1)), { failures: 2, notBefore: 10 })
  t.equal(roster.revive(10), 0)
})
