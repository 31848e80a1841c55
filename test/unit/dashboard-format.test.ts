import t from 'tap'
import { age, bytes, count, milliseconds, percent, plural } from '#metrics/page/client/format.js'
import { drawPath, mergeSamples, niceMax, runs, WINDOW } from '#metrics/page/client/series.js'
import type { Sample } from '#metrics/page/client/wire.js'

t.test('numbers are short and say their unit', (t) => {
  const shown: [string, string][] = [
    [bytes(0), '0 kB'],
    [bytes(48_200_000), '48 MB'],
    [bytes(1_500_000), '1.5 MB'],
    [bytes(999_600), '1 MB'],
    [bytes(999_700_000), '1 GB'],
    [bytes(12_340_000_000), '12.3 GB'],
    [count(0), '0'],
    [count(0.4), '0.4'],
    [count(99.96), '100'],
    [count(999.7), '1k'],
    [count(12_840), '12.8k'],
    [count(128_400), '128k'],
    [count(999_960), '1M'],
    [milliseconds(0.4), '< 1 ms'],
    [milliseconds(12.4), '12 ms'],
    [milliseconds(999.6), '1 s'],
    [milliseconds(1_340), '1.3 s'],
    [age(-5), '0 s'],
    [age(59_999), '59 s'],
    [age(200_000), '3 min 20 s'],
    [age(7_500_000), '2 h 5 min'],
    [age(90_000_000), '1 d 1 h'],
    [percent(0.424), '42 %'],
    [percent(1.7), '100 %'],
    [plural(1, 'worker'), '1 worker'],
    [plural(0, 'worker'), '0 workers']
  ]
  for (const [got, wanted] of shown) t.equal(got, wanted)
  t.end()
})

const sample = (time: number, requests: number, p99: number | null = null): Sample => [time, requests, p99, null, null]

t.test('two pieces of the past are one, without what is too old', (t) => {
  const end = 1_000_000
  const merged = mergeSamples(
    [sample(end - WINDOW, 1), sample(end - 2_000, 2), sample(end - 1_000, 3)],
    [sample(end, 5), sample(end - 1_000, 4), sample(end - WINDOW + 1, 9)]
  )
  t.strictSame(
    merged.map(([time, requests]) => [time - end, requests]),
    [
      [1 - WINDOW, 9],
      [-2_000, 2],
      [-1_000, 4],
      [0, 5]
    ]
  )
  t.strictSame(mergeSamples([], []), [])
  t.end()
})

t.test('a scale holds the highest value', (t) => {
  t.strictSame([0, 1, 1.1, 3, 7, 10, 11, 0.04, Number.NaN].map(niceMax), [1, 1, 2, 5, 10, 10, 20, 0.05, 1])
  t.end()
})

t.test('a line has a gap where nothing is known', (t) => {
  const samples = [sample(0, 1, 5), sample(1_000, 1), sample(2_000, 1, 6), sample(3_000, 1, 7), sample(9_000, 1, 8)]
  const found = runs(samples, ([, , p99]) => p99)
  t.strictSame(found, [
    [[0, 5]],
    [
      [2_000, 6],
      [3_000, 7]
    ],
    [[9_000, 8]]
  ])
  const area = { end: WINDOW, max: 10, width: 300, height: 50 }
  const pieces: [number, number][][] = [
    [
      [0, 0],
      [WINDOW / 2, 5],
      [WINDOW, 99]
    ],
    [[WINDOW, 10]]
  ]
  t.equal(drawPath(pieces, area), 'M0 50L150 25L300 0M300 0h.5')
  t.equal(drawPath(pieces.slice(0, 1), area, true), 'M0 50L0 50L150 25L300 0L300 50Z')
  t.equal(drawPath([], area), '')
  t.end()
})
