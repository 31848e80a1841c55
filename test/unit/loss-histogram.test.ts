import t from 'tap'
import { Histogram } from '../support/loss/histogram.js'
import { seededRandom } from '../support/loss/random.js'

t.test('percentiles are within 1.6 % of those of the sorted values', async (t) => {
  const random = seededRandom(1)
  // Spread over five powers of ten, as latencies are: 10 µs to 1 s.
  const values = Array.from({ length: 20_000 }, () => 10 ** (random() * 5 - 2))
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  values.sort((a, b) => a - b)
  for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(values.length * share) - 1] ?? 0
    const given = histogram.percentile(share)
    // One microsecond more, for the rounding of the smallest values.
    t.ok(Math.abs(given - exact) <= exact * 0.016 + 0.001, `share ${share}: ${given} for ${exact}`)
  }
  t.equal(histogram.summary().max, values.at(-1))
  t.equal(histogram.count, 20_000)
})

t.test('merged histograms are the histogram of all values', async (t) => {
  const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()]
  for (let value = 1; value <= 1000; value++) {
    const half = value % 3 === 0 ? one : other
    half.add(value)
    both.add(value)
  }
  one.merge(other)
  t.strictSame(one.summary(), both.summary())
})

t.test('an empty histogram answers zero', async (t) => {
  t.strictSame(new Histogram().summary(), { count: 0, mean: 0, p50: 0, p99: 0, p999: 0, max: 0 })
})
