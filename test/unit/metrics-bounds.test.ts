import type { MessageSender } from '@mapache/core'
import { metrics } from '@mapache/metrics'
import t from 'tap'
import { escapeQuoted } from '#metrics/labels.js'
import type { Change, Pull, Pulled } from '#metrics/messages.js'
import { type AppMetric, type AppSample, emptyRequests } from '#metrics/report.js'
import { mergeApp } from '#metrics/service/merge.js'
import { Mirror } from '#metrics/service/mirror.js'
import { Departed } from '#metrics/supervisor/departed.js'
import { Journal } from '#metrics/supervisor/journal.js'
import { Ledger } from '#metrics/supervisor/ledger.js'

const counter = (samples: AppSample[], name = 'it'): AppMetric => {
  return { name, type: 'counter', help: 'It.', aggregator: 'sum', samples }
}
/** As a worker tells them: 200 in each text. */
const told = (samples: AppSample[]) => {
  const texts: Record<string, string> = {}
  for (let from = 0; from < samples.length; from += 200) {
    texts[`it#${from / 200}`] = JSON.stringify(counter(samples.slice(from, from + 200)))
  }
  return texts
}
const labelled = (length: number, text: string) => {
  return Array.from({ length }, (_, index): AppSample => ['it', `n="${index}",text="${text}"`, index])
}

/** The module's two sides without what is between; `sizes` are the bytes that leave for each question, `largest` a message's. */
function setUp() {
  const module = metrics({ port: 0 })
  const sizes: number[] = []
  const seen = { largest: 0 }
  const mirror = new Mirror(13, (pull: Pull) => {
    const question = sizes.push(0) - 1
    const sender = {
      id: 99,
      send(name: string, data: unknown) {
        const text = JSON.stringify(data)
        sizes[question] = (sizes[question] ?? 0) + Buffer.byteLength(text)
        seen.largest = Math.max(seen.largest, Buffer.byteLength(text))
        // As it is in truth: not before the one who sends is done.
        setImmediate(() => {
          if (name === 'change') mirror.change(JSON.parse(text) as Change)
          else mirror.pulled(JSON.parse(text) as Pulled)
        })
      }
    }
    module.messages?.pull?.receive(pull as never, sender as unknown as MessageSender, undefined as never)
  })
  const tell = (id: number, report: Record<string, string>) => {
    const sender = { id, send() {} } as unknown as MessageSender
    module.messages?.app?.receive(report as never, sender, undefined as never)
  }
  const emit = (event: 'worker:launch' | 'worker:exit', id: number) => {
    const listener = module.on?.[event] as ((worker: object) => void) | undefined
    listener?.({ id, failures: 0, failed: false, reason: 'reload', drained: undefined })
  }
  return { mirror, tell, emit, sizes, seen }
}

t.test('however much there is to tell, an answer is a batch, and a message has room for its part', async (t) => {
  const { mirror, tell, emit, sizes, seen } = setUp()
  const samples = labelled(2_000, escapeQuoted('é"\\'.repeat(15)))
  for (let id = 1; id <= 8; id += 1) {
    emit('worker:launch', id)
    tell(id, told(samples))
  }
  const pull = mirror.pull(5_000)
  // What leaves while it is told is told once all the same.
  emit('worker:exit', 1)
  const counted = await pull
  t.ok(sizes.length > 4, `${sizes.length} answers`)
  t.ok(sizes.reduce((sum, size) => sum + size) > 2_000_000)
  t.ok(Math.max(...sizes) < 1_200_000, `${Math.max(...sizes)} bytes in an answer`)
  t.ok(seen.largest < 1_000_000, `${seen.largest} bytes in a message`)
  t.strictSame([...counted.workers.keys()], [2, 3, 4, 5, 6, 7, 8])
  const [family] = mergeApp(counted)
  t.equal(family?.samples.length, 2_000)
  t.ok(family?.samples.every(({ value, labels }) => labels.startsWith(`n="${value / 8}"`)))

  const before = sizes.length
  await mirror.pull(5_000)
  t.equal(sizes.length - before, 1)
  t.ok((sizes.at(-1) ?? 0) < 2_000, 'and nothing twice')
})

t.test('what does not fit into a message is left out, in bytes and not in letters', async (t) => {
  const ledger = new Ledger(1)
  ledger.launched(1)
  ledger.metrics(1, { wide: 'é'.repeat(400_000), quoted: '"'.repeat(400_000), fits: 'x'.repeat(400_000) })
  t.strictSame(
    ledger.changes(0).changes.flatMap(({ metrics = {} }) => Object.keys(metrics)),
    ['fits']
  )
})

t.test('what those that left have counted is bounded in letters and in names', async (t) => {
  const size = (journal: Journal) => {
    let letters = 0
    let names = 0
    for (let since = 0, more = true; more; ) {
      const batch = journal.batch(since)
      for (const { metrics = {} } of batch.changes) {
        names += Object.keys(metrics).length
        for (const text of Object.values(metrics)) letters += text?.length ?? 0
      }
      since = batch.sequence
      more = batch.more
    }
    return { letters, names }
  }
  const long = new Journal()
  const departed = new Departed(long)
  for (let round = 0; round < 150; round += 1) {
    departed.add(counter([['it', `round="${round}",text="${'x'.repeat(100_000)}"`, 1]]))
    departed.add(counter(Array.from({ length: 10 }, (_, n) => ['it', `n="${round}-${n}",t="${'x'.repeat(9_000)}"`, 1])))
  }
  t.ok(size(long).letters < 9_000_000, `${size(long).letters} letters`)
  t.ok(size(long).letters > 7_000_000, `${size(long).letters} letters`)

  const named = new Journal()
  const names = new Departed(named)
  for (let n = 0; n < 12_000; n += 1) names.add(counter([[`it_${n}`, '', 1]], `it_${n}`))
  names.add(counter([['it_1', '', 1]], 'it_1'))
  t.equal(size(named).names, 10_000)
})

t.test('what a worker leaves is read some at a time, and nobody is told before it is', async (t) => {
  const ledger = new Ledger(1)
  ledger.launched(1)
  ledger.requests(1, { ...emptyRequests(1), micros: 5 })
  ledger.metrics(1, told(labelled(5_000, 'x'.repeat(400))))
  ledger.left(1)
  let turns = 0
  let read = false
  ledger.whenRead(() => {
    read = true
  })
  while (!read) {
    turns += 1
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(turns >= 5, `${turns} turns`)
  const { changes } = ledger.changes(0)
  t.match(changes[0], { worker: 0, requests: { micros: 5 } })
  let now = false
  ledger.whenRead(() => {
    now = true
  })
  t.ok(now, 'at once when nothing is left to read')
})
