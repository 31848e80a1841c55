import t from 'tap'
import { backoffDelay } from '#core/cluster/backoff.js'

const backoff = { min: 100, max: 30_000 }

t.test('the first failure is replaced at once', async (t) => {
  for (const random of [0, 0.5, 0.999]) t.equal(backoffDelay(1, backoff, random), 0)
})

t.test('from the second failure on the delay doubles from min to max, half of it random', async (t) => {
  const whole = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]
  for (const [index, delay] of whole.entries()) {
    const failures = index + 2
    t.equal(backoffDelay(failures, backoff, 0), delay / 2, `${failures} failures, the least`)
    t.equal(backoffDelay(failures, backoff, 0.5), delay * 0.75, `${failures} failures, the middle`)
    t.ok(backoffDelay(failures, backoff, 1 - Number.EPSILON) <= delay, `${failures} failures, the most`)
  }
})

t.test('the delay stays within its bounds, however often a place failed', async (t) => {
  for (const failures of [12, 31, 32, 33, 100, 1_100, 1e9, Number.MAX_SAFE_INTEGER]) {
    const delay = backoffDelay(failures, backoff, 0.5)
    t.ok(delay >= backoff.max / 2 && delay <= backoff.max, `${failures} failures: ${delay}`)
  }
})

t.test('with min and max alike the delay is always that, jittered', async (t) => {
  t.equal(backoffDelay(2, { min: 500, max: 500 }, 0), 250)
  t.equal(backoffDelay(9, { min: 500, max: 500 }, 0.5), 375)
})

t.test('the least min of all doubles to the largest max', async (t) => {
  const widest = { min: 1, max: 2 ** 31 - 1 }
  t.equal(backoffDelay(2, widest, 0), 0.5)
  t.equal(backoffDelay(40, widest, 0), 2 ** 29, 'it stops doubling after 30 times, far beyond any sense')
})
