import t from 'tap'
import { AwakeClock, HEARTBEAT, LONGEST_GAP } from '#core/supervisor/clock.js'

/** A clock, and the time that it reads. */
function made(start = 10_000) {
  let time = start
  const clock = new AwakeClock(() => time)
  const pass = (by: number) => {
    time += by
  }
  return { clock, pass }
}

t.test('while the process runs the clock is the monotonic one', async (t) => {
  const { clock, pass } = made()
  t.equal(clock.now(), 10_000)
  for (let beat = 1; beat <= 5; beat += 1) {
    pass(HEARTBEAT)
    t.equal(clock.now(), 10_000 + beat * HEARTBEAT)
  }
})

t.test('a beat that comes late is no sleep', async (t) => {
  const { clock, pass } = made()
  pass(LONGEST_GAP)
  t.equal(clock.now(), 10_000 + LONGEST_GAP)
})

t.test('time asleep does not count', async (t) => {
  const { clock, pass } = made()
  pass(500)
  clock.now()
  pass(3_600_000)
  t.equal(clock.now(), 10_500)
  pass(200)
  t.equal(clock.now(), 10_700)
})

t.test('several sleeps add up', async (t) => {
  const { clock, pass } = made(0)
  for (let night = 1; night <= 3; night += 1) {
    pass(8 * 3_600_000)
    clock.now()
    pass(1_000)
    t.equal(clock.now(), night * 1_000)
  }
})

t.test('the clock never goes back', async (t) => {
  const { clock, pass } = made()
  let last = clock.now()
  for (const by of [0, 1, LONGEST_GAP + 1, 0.25, 1e9, LONGEST_GAP, 5]) {
    pass(by)
    const now = clock.now()
    t.ok(now >= last, `${now} after ${last}`)
    last = now
  }
})

t.test('the heartbeat reads the clock often enough', async (t) => {
  t.ok(HEARTBEAT * 2 < LONGEST_GAP, 'one beat may be missed')
})

t.test('without a reader it reads the monotonic clock of the process', async (t) => {
  const before = performance.now()
  const now = new AwakeClock().now()
  t.ok(now >= before && now <= performance.now())
})
