// The policy against simulated traffic: what must hold whatever the traffic.

import t from 'tap'
import { CALM, createPolicy, mostOf, type ScalingRange } from '#core/cluster/autoscale.js'
import { seededRandom } from '../support/loss/random.js'
import { flaps, type Outcome, percentile, simulate, timeUntil } from '../support/scaling/model.js'
import { jobsOf, KINDS, recorded, STEP_AT, type Traffic } from '../support/scaling/traffic.js'

const RANGE = { min: 1, max: 8, minSpare: 0.5, maxSpare: 1.75 }
const LIMITS = { cpu: 8, memory: undefined }

function run(name: string, seed: number, boot = 150): Outcome {
  const traffic = KINDS.find((one) => one.name === name) as Traffic
  const jobs = jobsOf(traffic, seed)
  return simulate(jobs, { policy: createPolicy(), range: RANGE, limits: LIMITS, boot, seconds: traffic.seconds })
}

t.test('a step of load is served by all wanted workers within 1.5 s where they are forked', async (t) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const outcome = run('step', seed)
    const time = timeUntil(outcome, STEP_AT * 1_000, 8)
    t.ok(time <= 1_500, `${time} ms`)
    t.equal(flaps(outcome, CALM), 0)
  }
})

t.test('an idle cluster settles at its least, and stays', async (t) => {
  for (const seed of [1, 2, 3]) {
    const { changes } = run('idle', seed)
    const last = changes.at(-1)
    t.match(last, { to: 1 })
    t.ok((last?.at ?? Number.POSITIVE_INFINITY) < 40_000)
  }
})

t.test('load that swings is served without much waiting, by fewer workers than the most', async (t) => {
  const { waits, used, needed } = run('sine', 1)
  t.ok(percentile(waits, 0.99) < 50)
  t.ok(used / needed < 2)
})

t.test('whatever the traffic: within the range, one flap a calm time at the most, and all is served', async (t) => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const chance = seededRandom(seed)
    const min = 1 + Math.floor(3 * chance())
    const max = min + Math.floor(8 * chance())
    const minSpare = 2 * chance()
    const range: ScalingRange = { min, max, minSpare, maxSpare: minSpare + 2 * chance() }
    const limits = {
      cpu: 1 + Math.floor(10 * chance()),
      memory: chance() < 0.3 ? 1 + Math.floor(10 * chance()) : undefined
    }
    const levels = Array.from({ length: 6 }, () => chance() ** 2 * min)
    const worth = (second: number) => levels[Math.floor(second / 10)] as number
    const jobs = jobsOf({ name: '', seconds: 60, worth, work: (one) => 10 + 20 * one, mean: 20 }, seed)
    const options = { range, limits, boot: 100 + 1_500 * chance(), seconds: 90 }
    const outcome = simulate(jobs, { policy: createPolicy(), ...options })
    const { most } = mostOf(range, limits)
    const wrong = outcome.changes.find(({ to }) => to < min || to > most)
    t.equal(wrong, undefined, `seed ${seed}`)
    t.equal(outcome.waits.length, jobs.length, `seed ${seed}: all served`)
    t.ok(windowsHold(outcome), `seed ${seed}: ${JSON.stringify(outcome.changes)}`)
  }
})

t.test('traffic is the same for the same seed, and a recorded one is read line by line', async (t) => {
  const [step] = KINDS as [Traffic]
  t.strictSame(jobsOf(step, 7).slice(0, 50), jobsOf(step, 7).slice(0, 50))
  t.notSame(jobsOf(step, 7).slice(0, 50), jobsOf(step, 8).slice(0, 50))
  const { seconds, worth, mean } = recorded('file', 'second,requests,ms\n100,200,10\n101,100,10\n103,50\n')
  t.strictSame([0, 1, 2, 3].map(worth), [2, 1, 0, 0.25])
  t.equal(seconds, 4)
  t.ok(mean > 9 && mean < 10)
  t.throws(() => recorded('file', 'nothing'), /no line/)
})

/** Whether after each time that it goes up again, none goes within a calm time. */
function windowsHold({ changes }: Outcome): boolean {
  return changes.every(({ at, from, to }, index) => {
    const grewAt = changes.slice(0, index).findLast((one) => one.to > one.from)?.at ?? Number.NEGATIVE_INFINITY
    return to > from || at - grewAt >= CALM
  })
}
