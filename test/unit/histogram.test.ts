import t from 'tap'
import { addBuckets, type Buckets, bucketOf, LAST, lowQuantile, middleOf, quantile } from '#core/cluster/histogram.js'

const of = (...durations: number[]): Buckets => {
  const buckets: Buckets = new Map()
  addBuckets(
    buckets,
    durations.map((ms) => [bucketOf(ms), 1] as const)
  )
  return buckets
}
const near = (value: number | undefined, wanted: number) => value !== undefined && Math.abs(value / wanted - 1) < 0.05

t.test('a bucket is known to a twentieth', async (t) => {
  for (let ms = 0.11; ms < 119_000; ms *= 1.07) t.ok(near(middleOf(bucketOf(ms)), ms), `${ms}`)
})

t.test('what is out of range, or no number, falls into the first or the last', async (t) => {
  for (const ms of [0, -1, 0.05, 0.1, Number.NaN]) t.equal(bucketOf(ms), 0, `${ms}`)
  for (const ms of [120_000, 1e9, Number.POSITIVE_INFINITY]) t.equal(bucketOf(ms), LAST, `${ms}`)
  t.ok(LAST < 200, 'so few that a report is small')
})

t.test('quantiles', async (t) => {
  t.equal(quantile(new Map(), 0.99), undefined)
  t.equal(lowQuantile(new Map(), 0.99), undefined)
  t.ok(near(quantile(of(7), 0.99), 7))
  t.ok(near(lowQuantile(of(7), 0.99), 7))
  const hundred = of(...Array.from({ length: 100 }, (_, index) => index + 1))
  t.ok(near(quantile(hundred, 0.5), 50))
  t.ok(near(quantile(hundred, 0.99), 99))
  t.ok(near(quantile(hundred, 1), 100))
})

t.test('the lower end of the interval does not see two slow ones of a hundred, and sees four', async (t) => {
  const fast = Array<number>(100).fill(5)
  t.ok(near(quantile(of(...fast.slice(2), 900, 900), 0.99), 900))
  t.ok(near(lowQuantile(of(...fast.slice(2), 900, 900), 0.99), 5))
  t.ok(near(lowQuantile(of(...fast.slice(4), 900, 900, 900, 900), 0.99), 900))
})

t.test('what was counted in parts is the same as at once', async (t) => {
  const sum = of(1, 2, 3)
  addBuckets(sum, of(3, 4))
  t.strictSame([...sum].sort(), [...of(1, 2, 3, 3, 4)].sort())
})
