import t from 'tap'
import { type Crash, Crashes, inOneLine } from '#core/cluster/crashes.js'
import { chooseEnd, type MemberSpec, Roster } from '#core/cluster/roster.js'
import { Storms } from '#core/cluster/storm.js'

const crash = (id: number, more: Partial<Crash> = {}) => ({
  at: id,
  id,
  role: 'worker' as const,
  name: '',
  generation: 1,
  place: id,
  reason: 'crash' as const,
  code: 1,
  signal: null,
  message: 'down',
  ...more
})

t.test('the last ones are kept, newest first, and one that is like the last is counted', async (t) => {
  const crashes = new Crashes(3)
  crashes.note(crash(1))
  crashes.note(crash(2))
  crashes.note(crash(3, { message: 'up' }))
  crashes.note(crash(4))
  t.strictSame(
    crashes.last().map(({ id, at, times }) => [id, at, times]),
    [
      [4, 4, 1],
      [3, 3, 1],
      [2, 2, 2]
    ]
  )
  for (const [id, generation] of [
    [5, 2],
    [6, 3]
  ] as const)
    crashes.note(crash(id, { generation }))
  t.strictSame(
    crashes.last(2).map(({ id }) => id),
    [6, 5]
  )
  t.equal(crashes.last().length, 3)
})

t.test('the file about one of them is kept for those that are like it', async (t) => {
  const crashes = new Crashes()
  crashes.note(crash(1, { diagnostic: '/a' }))
  crashes.note(crash(2))
  t.match(crashes.last(), [{ id: 2, times: 2, diagnostic: '/a' }])
  crashes.note(crash(3, { diagnostic: '/b' }))
  t.match(crashes.last(), [{ id: 3, times: 3, diagnostic: '/b' }])
})

t.test('an error in one line, with the place where it was thrown', async (t) => {
  const stack = 'TypeError: no\nmore\n    at total (/app/cart.js:41:9)\n    at other (/app/b.js:1:1)'
  t.strictSame(inOneLine({ message: 'no\nmore', stack }), { message: 'no', frame: 'total (/app/cart.js:41:9)' })
  t.strictSame(inOneLine({ message: 'x'.repeat(999), stack: 'none' }), { message: 'x'.repeat(300) })
})

t.test('more bad ends than workers within ten seconds are a storm, which is told once', async (t) => {
  const storms = new Storms()
  const fail = (now: number) => storms.failed(1, now, 4, 500, 30_000)
  t.strictSame([0, 10, 20, 30].map(fail), [undefined, undefined, undefined, undefined])
  t.equal(storms.of(1, 30), undefined)
  t.equal(fail(40), 5)
  t.match(storms.of(1, 40), { notBefore: 540, calmAt: 30_040 })
  t.equal(storms.of(2, 40), undefined, 'another generation is in none')
  t.equal(fail(50), undefined)
  t.match(storms.of(1, 50), { notBefore: 550, calmAt: 30_050 })
  storms.launched(1, 600)
  t.match(storms.of(1, 600), { notBefore: 1_100, calmAt: 30_050 })
  t.equal(storms.of(1, 30_050), undefined, 'when it was calm for so long it is over')
  t.equal(fail(30_060), undefined, 'and it counts from the beginning')
})

t.test('slow ones are none, three are none, and it can be ended', async (t) => {
  const slow = new Storms()
  for (let at = 0; at < 100_000; at += 3_400) t.equal(slow.failed(1, at, 3, 0, 100), undefined)
  const few = new Storms()
  t.strictSame(
    [0, 1, 2, 3].map((at) => few.failed(1, at, 1, 0, 100)),
    [undefined, undefined, undefined, 4]
  )
  t.equal(few.of(1, 3)?.calmAt, 10_003, 'with a short back-off it does not end and begin all the time')
  few.end()
  t.equal(few.of(1, 4), undefined)
  t.equal(few.failed(1, 5, 1, 0, 100), undefined)
})

t.test('a storm holds all places of the generation back, one at a time, and no others', async (t) => {
  const roster = new Roster()
  const backoff = { min: 100, max: 1_000 }
  const worker = (place: number, generation = 1): MemberSpec => ({
    role: 'worker',
    name: '',
    from: 'disk',
    generation,
    place
  })
  const crashIn = (place: number, now: number) => {
    const member = roster.launch(worker(place), now)
    return roster.exited(member, now, backoff, 0, 3)
  }
  t.strictSame(
    [1, 2, 3, 4].map((place) => crashIn(place, place).storm),
    [undefined, undefined, undefined, 4]
  )
  t.strictSame(roster.place(worker(9), 5), { failures: 0, notBefore: 54, spacedUntil: 10_004 })
  t.strictSame(roster.place(worker(9, 2), 5), { failures: 0, notBefore: 0 })
  t.strictSame(roster.place({ ...worker(1), fallback: true }, 5), { failures: 0, notBefore: 0 })
  roster.launch(worker(9), 54)
  t.match(roster.place(worker(1), 54), { notBefore: 104 })
  for (let now = 200; now < 3_000; now += 200) crashIn(1, now)
  const { notBefore } = roster.place(worker(9), 3_000)
  t.ok(notBefore > 3_000 && notBefore <= 3_000 + backoff.max, 'as slowly as the worst place')
  roster.revive(3_001)
  t.strictSame(roster.place(worker(9), 3_001), { failures: 0, notBefore: 0 })
})

t.test('an end for its health is in good standing only if it was healthy for long', async (t) => {
  const backoff = { min: 100, max: 1_000 }
  const spec: MemberSpec = { role: 'worker', name: '', from: 'disk', generation: 1, place: 1 }
  const roster = new Roster()
  const end = (more: { unproved?: true; unhealthySince?: number }) => {
    const member = roster.launch(spec, 0)
    roster.ready(member, 0)
    roster.serving(member, 0)
    Object.assign(member, more)
    chooseEnd(member, 'unhealthy')
    t.ok(roster.exited(member, 5_000, backoff, 0).failed)
    return roster.place(spec).failures
  }
  t.equal(end({ unproved: true }), 1)
  t.equal(end({ unhealthySince: 500 }), 2)
  t.equal(end({ unhealthySince: 1_000 }), 1)
})
