import t from 'tap'
import { makeLook } from '#cli/look.js'
import { drawFrame } from '#cli/top/frame.js'
import { TopModel } from '#cli/top/model.js'
import { summary } from '#cli/top/summary.js'
import { aProcess, aStatus, vitals } from './cli-kit.js'

const look = makeLook(false)
const WALL = Date.UTC(2026, 0, 1, 12, 0, 0)

function aModel(status = aStatus()): TopModel {
  const model = new TopModel()
  model.take(status, 0)
  return model
}

function frame(model: TopModel, columns = 80, rows = 23, now = 0): string[] {
  return drawFrame(model, { columns, rows }, look, now, WALL)
}

t.test('rates come from the totals that workers report', async (t) => {
  const model = new TopModel()
  const report = (id: number, requests: number, now: number) =>
    model.event({ name: 'worker:vitals', data: aProcess(id, { vitals: vitals(requests) }) }, now, WALL)
  report(1, 100, 0)
  t.equal(model.rates.of(1), undefined, 'one report is no rate')
  t.equal(model.rates.total(0), 0)
  report(1, 150, 1_000)
  report(2, 0, 0)
  report(2, 40, 2_000)
  t.equal(model.rates.of(1), 50)
  t.equal(model.rates.of(2), 20)
  t.equal(model.rates.total(2_000), 70)
  model.take(aStatus({ processes: [aProcess(2, { vitals: vitals(40) })] }), 2_100)
  t.equal(model.rates.of(2), 20, 'the same report seen twice is one')
  report(1, 3, 2_500)
  t.equal(model.rates.of(1), 0, 'a total that shrinks is no rate below nothing')
  t.equal(model.rates.total(9_000), 0, 'who reports no more answers no more')
})

t.test('the strip has a number a second, of the last minute', async (t) => {
  const model = aModel()
  for (let at = 0; at < 100_000; at += 250) model.sample(at)
  t.equal(model.strip.length, 60)
  const other = new TopModel()
  for (let at = 0; at < 10_000; at += 1_000) other.sample(at)
  t.equal(other.strip.length, 10)
})

t.test('keys that change something ask first', async (t) => {
  const model = aModel()
  t.equal(model.press('r'), undefined)
  t.equal(model.question?.text, 'Replace all 2 workers with new ones from disk?')
  t.equal(model.press('x'), undefined, 'anything but yes is no')
  t.equal(model.question, undefined)
  t.equal(model.notice?.text, 'not done')
  model.press('r')
  t.strictSame(model.press('y'), { do: 'reload' })
  t.strictSame(model.press('+'), { do: 'scale', workers: 3 }, 'more workers harm nobody')
  t.equal(model.press('-'), undefined)
  t.equal(model.question?.text, 'Serve with 1 worker instead of 2?')
  t.strictSame(model.press('y'), { do: 'scale', workers: 1 })
  model.press('down')
  model.press('c')
  t.equal(model.question?.text, 'Replace worker 2?')
  t.strictSame(model.press('return'), { do: 'recycle', id: 2 })
  t.strictSame(model.press('q'), { do: 'quit' })
  model.press('r')
  t.strictSame(model.press('ctrl-c'), { do: 'quit' }, 'Ctrl-C quits whatever is asked')
  t.equal(model.press(''), undefined)
})

t.test('keys that cannot do what they are for say why', async (t) => {
  const one = aModel(aStatus({ target: 1, processes: [aProcess(5, { role: 'mold' })] }))
  one.press('-')
  t.match(one.notice, { text: 'one worker must serve', bad: true })
  one.press('c')
  t.match(one.notice, { text: 'select a worker or a service first', bad: true })
  one.lost = true
  t.equal(one.press('+'), undefined)
  t.match(one.notice, { text: 'the supervisor has gone', bad: true })
  const empty = new TopModel()
  t.equal(empty.press('r'), undefined)
  t.equal(empty.question, undefined)
})

t.test('the selection stays on its process, and goes on when that has left', async (t) => {
  const model = aModel(aStatus({ processes: [aProcess(1), aProcess(2), aProcess(3)] }))
  t.equal(model.selected?.id, 1)
  for (const key of ['j', 'down', 'down', 'down']) model.press(key)
  t.equal(model.selected?.id, 3)
  model.press('up')
  t.equal(model.selected?.id, 2)
  model.take(aStatus({ processes: [aProcess(4), aProcess(2)] }), 1)
  t.equal(model.selected?.id, 2)
  model.take(aStatus({ processes: [aProcess(4)] }), 2)
  t.equal(model.selected?.id, 4)
})

t.test('a frame fits 80 by 24, whatever there is to show', async (t) => {
  const many = Array.from({ length: 40 }, (_, index) => {
    return aProcess(index + 100, {
      vitals: vitals(123_456_789, { inFlight: 12_345, utilisation: 0.999 }),
      failures: 12
    })
  })
  const model = aModel(
    aStatus({
      name: 'a-name-that-goes-on-and-on-until-the-end-of-the-line-and-beyond-it',
      target: 40,
      waiting: 3,
      processes: [...many, aProcess(8, { role: 'service', name: 'a-long-module/with-a-long-service' })],
      roll: { generation: 2, kind: 'reload', phase: 'rolling' }
    })
  )
  for (let at = 0; at < 70_000; at += 1_000) model.sample(at)
  for (let at = 0; at < 30; at += 1) model.say(`event ${at} ${'x'.repeat(100)}`, WALL)
  for (const [columns, rows] of [
    [80, 23],
    [40, 10],
    [20, 5],
    [200, 60],
    [80, 1],
    [1, 1]
  ] as const) {
    const lines = frame(model, columns, rows, 70_000)
    t.equal(lines.length, rows, `${columns} by ${rows}`)
    t.ok(
      lines.every((line) => line.length <= columns),
      `${columns} by ${rows}`
    )
  }
  for (let at = 0; at < 30; at += 1) model.press('down')
  t.match(frame(model).join('\n'), /▸ 130 {2}worker/, 'the list moves along with the selection')
})

t.test('what a frame shows', async (t) => {
  const model = new TopModel()
  t.match(frame(model)[0], 'Waiting for the cluster …')
  const processes = [
    aProcess(1, { vitals: vitals(100, { utilisation: 0.5, inFlight: 2 }) }),
    aProcess(2, { state: 'retiring' }),
    aProcess(3, { generation: 2 })
  ]
  model.take(aStatus({ processes, roll: { generation: 2, kind: 'reload', phase: 'rolling' } }), 0)
  model.rates.take(aProcess(1, { vitals: vitals(130) }), 1_000)
  model.sample(1_000)
  model.event({ name: 'reload:settled', data: { generation: 2 } }, 1_000, WALL)
  const text = frame(model, 80, 23, 1_000).join('\n')
  t.match(text, /^shop {2}pid 4000/)
  t.match(text, /^reload to generation 2: rolling {2}█{10}·{10} {2}1 new, 2 old$/m)
  t.match(text, /^ {2}ID {2}ROLE +STATE +GEN +AGE +REQ\/S +FLIGHT +LOOP +MEMORY +OWN$/m)
  t.match(text, /^▸ {2}1 {2}worker {2}serving +1 +1m 2s +30 +2 +█{5}·{5} +50% +50M +20M$/m)
  t.match(text, /^requests\/s {4}30 +█ most 30$/m)
  t.match(text, /^\d\d:\d\d:\d\d generation 2 has settled; the other workers follow$/m)
  t.match(text.split('\n').at(-1), /^r reload .*q quit$/)

  model.press('r')
  t.match(frame(model).at(-1), 'Replace all 2 workers with new ones from disk? y/n')
  model.press('n')
  model.press('?')
  t.match(frame(model).join('\n'), /^Keys\n/)
  model.press('x')
  t.match(frame(model)[0], /^shop/)

  t.match(frame(model, 80, 23, 7_000)[2], 'The supervisor (pid 4000) has not answered for 7.0s; this is how it was.')
  model.lost = true
  const lost = frame(model, 80, 23, 60_000).join('\n')
  t.match(lost, /The supervisor \(pid 4000\) has gone; this is how it was/)
  t.match(lost, /▸ {2}1 {2}worker {2}serving +1 +1m 1s/, 'ages stand still')
  model.take(aStatus(), 61_000)
  t.notMatch(frame(model).join('\n'), /has gone/)
})

t.test('a status in one line', async (t) => {
  const processes = [aProcess(1, { vitals: vitals(0, { inFlight: 1, utilisation: 0.25 }) }), aProcess(2)]
  t.equal(summary(aStatus({ processes }), 12.34), '2/2 serve  gen 1  12 req/s  1 request in flight  loop 25%')
  const rolling = aStatus({ roll: { generation: 2, kind: 'refork', phase: 'promoting' }, waiting: 1, stopping: true })
  t.match(summary(rolling, 0), /refork to gen 2: promoting {2}1 waiting {2}stopping$/)
})

t.test('whatever a cluster or its app says, the terminal obeys none of it', async (t) => {
  const evil = '\x1b[2J\u009b31mx\ny'
  const model = aModel(
    aStatus({
      name: evil,
      version: evil,
      addresses: [{ address: evil, family: 'IPv4', port: 1 }, { path: evil }],
      roll: { generation: 2, kind: 'reload', phase: evil as 'booting' },
      processes: [aProcess(1, { role: 'service', name: evil, state: evil as 'serving' })]
    })
  )
  model.say(evil, WALL)
  const error = new Error(evil)
  model.event({ name: 'app:failed', data: { generation: 1, phase: 'boot', error } }, 0, WALL)
  model.event({ name: 'reload:failed', data: { generation: 1, phase: evil, error } as never }, 0, WALL)
  const clean = (lines: readonly string[]) => t.notMatch(lines.join(''), /\p{Cc}/u)
  clean(frame(model, 200))
  for (const bad of [true, false]) {
    model.notice = { text: `reload failed: ${evil}`, bad }
    t.equal(frame(model, 200).at(-1), 'reload failed: x y')
  }
  model.press('c')
  t.match(frame(model, 200).at(-1), 'Replace x y 1?')
  clean(frame(model, 200))
  model.lost = true
  clean(frame(model, 200))
  clean([summary(aStatus({ roll: { generation: 2, kind: evil as 'reload', phase: 'rolling' } }), 0)])
})
