import t, { type Test } from 'tap'
import { type PolicyVitals, SILENCE } from '#core/cluster/autoscale.js'
import type { MapacheOptions } from '#core/options.js'
import { PolicyRunner } from '#core/supervisor/policy-runner.js'
import { until } from '../support/fixture.js'
import { Staged } from './supervisor-kit.js'

const VITALS = {
  requests: 0,
  inFlight: 0,
  connections: 0,
  listening: true,
  utilisation: 0,
  delayP99: 0,
  rss: 5e7,
  heapUsed: 1e7
}

/** A supervisor whose policy the test answers for, and what it was asked. */
async function asked(t: Test, wanted: () => unknown, more: MapacheOptions = {}) {
  const seen: { vitals: PolicyVitals; desired: number }[] = []
  const policy = (vitals: PolicyVitals, desired: number) => {
    seen.push({ vitals, desired })
    return wanted() as number
  }
  const staged = new Staged(t, { workers: { min: 1, max: 8 }, policy, settle: 60_000, ...more })
  await staged.start()
  return { staged, seen, target: async () => (await staged.supervisor.status()).target }
}

t.test('while a reload rolls workers may come, and none goes', async (t) => {
  let wanted = 2
  const { staged, target, seen } = await asked(t, () => Math.min(2, wanted))
  const most = (await staged.supervisor.status()).scaling?.most as number
  await until(async () => (await target()) === Math.min(2, most), 'two')
  staged.settle()
  void staged.supervisor.reload().catch(() => {})
  staged.settle()
  wanted = 1
  const before = seen.length
  await until(() => seen.length >= before + 2, 'decisions')
  t.equal(await target(), Math.min(2, most))
  t.equal(staged.supervisor.plan.roll?.phase, 'settling')
})

t.test('a worker that ends badly is told of once, with what the others report', async (t) => {
  const { staged, seen } = await asked(t, () => 1)
  staged.say(1, { type: 'vitals', vitals: { ...VITALS, utilisation: 0.9 } })
  await until(() => seen.length > 0, 'a decision')
  t.match(seen.at(-1), { desired: 1, vitals: { serving: 1, starting: 0, died: 0, range: { min: 1, max: 8 } } })
  t.match(seen.at(-1)?.vitals.workers, [{ id: 1, state: 'serving', utilisation: 0 }], 'the first is not of its service')
  await until(() => {
    staged.say(1, { type: 'vitals', vitals: { ...VITALS, requests: seen.length * 10, utilisation: 0.9 } })
    return seen.at(-1)?.vitals.workers[0]?.utilisation === 0.9
  }, 'the whole report')
  staged.exit(1)
  await until(() => seen.some(({ vitals }) => vitals.died === 1), 'its end')
  const before = seen.length
  await until(() => seen.length > before + 1, 'decisions')
  t.equal(seen.filter(({ vitals }) => vitals.died > 0).length, 1)
})

t.test('when the load decides again, no worker is taken for blocked by the slower reports of before', async (t) => {
  const { staged, seen } = await asked(t, () => 1)
  await staged.supervisor.scale(1)
  staged.say(1, { type: 'vitals', vitals: VITALS })
  const reported = performance.now()
  await until(() => performance.now() - reported > SILENCE, 'a report that is due')
  const before = seen.length
  await staged.supervisor.scale('auto')
  await until(() => seen.length > before, 'a decision')
  t.ok((seen[before]?.vitals.workers[0]?.silent as number) < SILENCE)
  await until(() => seen.some(({ vitals }) => (vitals.workers[0]?.silent as number) > SILENCE), 'one that is blocked')
})

t.test('a stop from within an event leaves no timer behind', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const { staged } = await asked(t, () => 1, { settle: 0 })
  let stopped: Promise<void> | undefined
  staged.supervisor.once('reload:settled', () => {
    stopped = staged.supervisor.stop('now')
  })
  const reload = staged.supervisor.reload().catch(() => {})
  const [fresh] = staged.supervisor.processes.all.filter(({ member }) => member.generation === 2)
  staged.say(fresh?.member.id as number, { type: 'ready', options: {} })
  staged.settle()
  await until(() => stopped !== undefined, 'the stop')
  await Promise.all([reload, stopped])
  await until(() => timers() <= before, 'the end of all timers')
})

t.test('reports come four times a second, and events tell of them once', async (t) => {
  const { staged } = await asked(t, () => 1)
  let told = 0
  staged.supervisor.on('worker:vitals', () => {
    told += 1
  })
  for (let count = 0; count < 5; count += 1) staged.say(1, { type: 'vitals', vitals: VITALS })
  t.equal(told, 1)
})

t.test('a policy harms nothing: each kind of fault is told of once', async (t) => {
  const faults: [() => unknown, RegExp][] = [
    [() => Number.NaN, /must return a whole number of workers, got NaN/],
    [() => 1.5, /got 1.5/],
    [() => -1, /got -1/],
    [() => undefined, /got undefined/],
    [async () => 3, /got /],
    [() => Promise.reject(new Error('late')), /got /],
    [
      () => {
        throw new TypeError('no idea')
      },
      /the policy threw: no idea/
    ],
    [
      () => {
        throw null
      },
      /the policy threw: null/
    ]
  ]
  for (const [policy, said] of faults) {
    const told: string[] = []
    const runner = new PolicyRunner(policy as never, (text) => told.push(text))
    for (let count = 0; count < 3; count += 1) t.equal(runner.run({} as never, 4), 4)
    t.equal(told.length, 1)
    t.match(told[0], said)
  }
  const fine = new PolicyRunner(
    () => 7,
    () => t.fail('nothing is wrong')
  )
  t.equal(fine.run({} as never, 4), 7)
})
