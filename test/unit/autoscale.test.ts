import t from 'tap'
import {
  bounded,
  busyness,
  CALM,
  createPolicy,
  FULL_IN_FLIGHT,
  HOLD_OFF,
  MOST_AT_ONCE,
  mostOf,
  type PolicyVitals,
  type PolicyWorker,
  SCALING_PULSE,
  SILENCE
} from '#core/cluster/autoscale.js'
import { workersThatFit } from '#core/cluster/capacity.js'

const RANGE = { min: 1, max: 64, minSpare: 0.5, maxSpare: 1.75 }
const MB = 1_024 * 1_024

function worker(id: number, utilisation: number, rest: Partial<PolicyWorker> = {}): PolicyWorker {
  const idle = { inFlight: 0, requests: 0, delayP99: 0, age: 60_000, memory: 50 * MB, silent: 0 }
  return { id, generation: 1, state: 'serving', utilisation, ...idle, ...rest }
}

/** A policy, asked every pulse, and what it answered last. */
class Asked {
  readonly policy = createPolicy()
  desired: number
  now = 0

  constructor(desired = 1) {
    this.desired = desired
  }

  /** @param loads utilisation of each worker that serves */
  ask(loads: readonly number[], rest: Partial<PolicyVitals> = {}): number {
    this.now += SCALING_PULSE
    const workers = loads.map((load, index) => worker(index + 1, load))
    const counts = { serving: workers.length, starting: Math.max(0, this.desired - workers.length), spare: 0 }
    const around = {
      died: 0,
      sinceReload: Number.POSITIVE_INFINITY,
      range: RANGE,
      limits: { cpu: 64, memory: undefined }
    }
    this.desired = this.policy({ now: this.now, workers, ...counts, ...around, ...rest }, this.desired)
    return this.desired
  }

  /** @returns what it answered, each once */
  askFor(ms: number, loads: () => readonly number[], rest: Partial<PolicyVitals> = {}): number[] {
    const answers: number[] = []
    for (const end = this.now + ms; this.now < end; ) {
      const answer = this.ask(loads(), rest)
      if (answers.at(-1) !== answer) answers.push(answer)
    }
    return answers
  }
}

const full = (count: number) => Array.from({ length: count }, () => 1)

t.test('how busy a worker is: its loop or its requests, whichever is more; one that is silent is busy', async (t) => {
  t.equal(busyness(worker(1, 0.3)), 0.3)
  t.equal(busyness(worker(1, 0.1, { inFlight: FULL_IN_FLIGHT / 2 })), 0.5)
  t.equal(busyness(worker(1, 0.1, { inFlight: 9 * FULL_IN_FLIGHT })), 1)
  t.equal(busyness(worker(1, 0, { silent: SILENCE })), 0)
  t.equal(busyness(worker(1, 0, { silent: SILENCE + 1 })), 1)
})

t.test('where all are full, as many again are wanted', async (t) => {
  const asked = new Asked(2)
  t.equal(asked.ask(full(2)), 4)
  t.equal(asked.ask(full(2)), 4, 'what is still starting counts as idle')
  t.equal(asked.ask([1, 1, 0, 0]), 4)
  t.equal(asked.ask(full(4)), 8)
})

t.test('never more at once than 32', async (t) => {
  t.equal(new Asked(50).ask(full(50)), 50 + MOST_AT_ONCE)
})

t.test('too little idle capacity: one more, then two, then four, and one again after enough of it', async (t) => {
  const asked = new Asked(4)
  const busy = [1, 1, 0.9, 0.7]
  const range = { ...RANGE, minSpare: 4, maxSpare: 9 }
  t.strictSame(
    asked.askFor(3 * SCALING_PULSE, () => busy, { range }),
    [5, 7, 7 + 4].slice(0, 3)
  )
  t.equal(asked.ask(busy, { range }), 11)
  asked.desired = 6
  t.equal(asked.ask(busy, { range }), 7, 'the rate was reset')
})

t.test('while one has died nothing is decided', async (t) => {
  t.equal(new Asked(2).ask(full(2), { died: 1 }), 2)
})

t.test('after a reload workers come one at a time', async (t) => {
  const asked = new Asked(4)
  t.equal(asked.ask(full(4), { sinceReload: HOLD_OFF - 1 }), 5)
  t.equal(asked.ask(full(5), { sinceReload: HOLD_OFF - 1 }), 6)
  t.equal(asked.ask(full(6), { sinceReload: HOLD_OFF }), 12)
})

t.test('idle workers go after a calm time, one a second, down to the least', async (t) => {
  const asked = new Asked(4)
  const idle = () => Array.from({ length: asked.desired }, () => 0.01)
  t.strictSame(asked.askFor(CALM, idle), [4])
  const from = asked.now
  t.strictSame(asked.askFor(4_000, idle), [3, 2, 1])
  t.ok(asked.now - from >= 3_000)
  t.strictSame(asked.askFor(60_000, idle), [1])
})

t.test('a moment of load begins the calm time anew', async (t) => {
  const asked = new Asked(2)
  asked.askFor(CALM - SCALING_PULSE, () => [0.1, 0.1])
  t.equal(asked.ask([0.5, 0.5]), 2)
  t.strictSame(
    asked.askFor(CALM, () => [0.1, 0.1]),
    [2]
  )
})

t.test('none goes whose end would be the reason for another', async (t) => {
  const asked = new Asked(2)
  const range = { ...RANGE, minSpare: 0.9, maxSpare: 0.9 }
  t.strictSame(
    asked.askFor(2 * CALM, () => [0.25, 0.25], { range }),
    [2],
    '1.5 are idle, and 0.5 would be left'
  )
  t.strictSame(
    asked.askFor(2 * CALM, () => [0, 0], { range }),
    [2, 1]
  )
})

t.test('a worker that is gone leaves nothing behind in the smoothing', async (t) => {
  const asked = new Asked(2)
  asked.ask([1, 1])
  asked.desired = 2
  t.equal(asked.ask([0.1]), 2)
})

t.test('the most that may serve, and why', async (t) => {
  const cases = [
    [{ min: 1, max: 8 }, { cpu: 8, memory: undefined }, { most: 8 }],
    [
      { min: 1, max: 8 },
      { cpu: 2, memory: undefined },
      { most: 2, limitedBy: 'cpu' }
    ],
    [{ min: 1, max: 'auto' }, { cpu: 2, memory: 9 }, { most: 2 }],
    [
      { min: 1, max: 8 },
      { cpu: 8, memory: 3 },
      { most: 3, limitedBy: 'memory' }
    ],
    [
      { min: 4, max: 8 },
      { cpu: 2, memory: 1 },
      { most: 4, limitedBy: 'memory' }
    ]
  ] as const
  for (const [range, limits, most] of cases) t.strictSame(mostOf({ ...RANGE, ...range }, limits), most)
})

t.test('what a policy wants is brought into the bounds; memory takes nothing that serves', async (t) => {
  const range = { ...RANGE, min: 2, max: 8 }
  const cases: [wanted: number, desired: number, cpu: number, memory: number | undefined, next: number][] = [
    [5, 4, 16, undefined, 5],
    [0, 4, 16, undefined, 2],
    [99, 4, 16, undefined, 8],
    [99, 4, 6, undefined, 6],
    [99, 8, 6, undefined, 6],
    [6, 4, 16, 5, 5],
    [6, 4, 16, 3, 4],
    [4, 4, 16, 1, 4],
    [3, 4, 16, 1, 3],
    [5, 1, 16, 0, 2]
  ]
  for (const [wanted, desired, cpu, memory, next] of cases) {
    t.equal(
      bounded(wanted, desired, range, { cpu, memory }),
      next,
      `${wanted} of ${desired}, cpu ${cpu}, memory ${memory}`
    )
  }
})

t.test('how many workers fit into the memory', async (t) => {
  t.equal(workersThatFit({ limit: 1_000 * MB, others: 100 * MB, workers: [100 * MB, 100 * MB] }), 8)
  t.equal(workersThatFit({ limit: 400 * MB, others: 36 * MB, workers: [100 * MB] }), 3, 'the margin is 64 MB at least')
  t.equal(workersThatFit({ limit: 100 * MB, others: 100 * MB, workers: [100 * MB] }), 0)
  t.equal(workersThatFit({ limit: 1_000 * MB, others: 0, workers: [0] }), undefined)
  t.equal(workersThatFit({ limit: 1_000 * MB, others: 0, workers: [] }), undefined)
})
