import t from 'tap'
import { Burst, type Clock, MOST, QUIET } from '#dev/watch/burst.js'

/** A burst whose time passes when told to. */
function made(isBusy = () => false) {
  let time = 1_000
  const timers = new Map<() => void, number>()
  const clock: Clock = {
    now: () => time,
    after(delay, callback) {
      timers.set(callback, time + delay)
      return () => timers.delete(callback)
    }
  }
  const fired: { at: number; files: string[] }[] = []
  const burst = new Burst({ clock, isBusy, fire: (files) => fired.push({ at: time - 1_000, files }) })
  const pass = (by: number) => {
    for (let left = by; left > 0; left -= 1) {
      time += 1
      for (const [callback, due] of [...timers]) {
        if (due > time) continue
        timers.delete(callback)
        callback()
      }
    }
  }
  return { burst, pass, fired, timers }
}

t.test('one change fires once, a moment later', async (t) => {
  const { burst, pass, fired } = made()
  burst.add('a.js')
  pass(QUIET - 1)
  t.same(fired, [])
  pass(1_000)
  t.same(fired, [{ at: QUIET, files: ['a.js'] }])
})

t.test('changes shortly after each other fire together, each file once, first changed first', async (t) => {
  const { burst, pass, fired } = made()
  for (const file of ['b.js', 'a.js', 'b.js', 'c.js', 'a.js']) {
    burst.add(file)
    pass(QUIET - 1)
  }
  pass(1_000)
  t.same(fired, [{ at: 4 * (QUIET - 1) + QUIET, files: ['b.js', 'a.js', 'c.js'] }])
})

t.test('changes that do not stop fire once each while', async (t) => {
  const { burst, pass, fired } = made()
  for (let count = 0; count < 5 * MOST; count += 1) {
    burst.add(`${count}.js`)
    pass(1)
  }
  pass(1_000)
  t.equal(fired.length, 5)
  t.same(
    fired.flatMap(({ files }) => files),
    Array.from({ length: 5 * MOST }, (_, count) => `${count}.js`),
    'none is lost, none is told twice'
  )
  t.same(fired[0]?.at, MOST)
})

t.test('two saves apart fire twice', async (t) => {
  const { burst, pass, fired } = made()
  burst.add('a.js')
  pass(QUIET)
  burst.add('a.js')
  pass(QUIET)
  t.same(fired, [
    { at: QUIET, files: ['a.js'] },
    { at: 2 * QUIET, files: ['a.js'] }
  ])
})

t.test('the order is that of the changes, not that in which they were found out', async (t) => {
  const { burst, pass, fired } = made()
  pass(10)
  burst.add('late.js', 1_009)
  burst.add('early.js', 1_003)
  pass(QUIET)
  t.same(fired, [{ at: 10 + QUIET, files: ['early.js', 'late.js'] }])
})

t.test('it is not quiet while changes are still being found out, but only so long', async (t) => {
  let isBusy = true
  const { burst, pass, fired } = made(() => isBusy)
  burst.add('a.js')
  pass(3 * QUIET)
  isBusy = false
  pass(QUIET)
  t.same(fired, [{ at: 4 * QUIET, files: ['a.js'] }])
  isBusy = true
  burst.add('b.js', 1_000)
  pass(MOST)
  t.same(fired[1], { at: 4 * QUIET + MOST, files: ['b.js'] })
})

t.test('after closing nothing fires', async (t) => {
  const { burst, pass, fired, timers } = made()
  burst.add('a.js')
  burst.close()
  pass(1_000)
  t.same(fired, [])
  t.equal(timers.size, 0)
})

t.test('the system has a clock', async (t) => {
  const files = await new Promise<string[]>((resolve) => new Burst({ fire: resolve }).add('a.js'))
  t.same(files, ['a.js'])
})
