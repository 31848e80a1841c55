import assert from 'node:assert/strict'
import type { PlanSettings } from '#core/cluster/plan.js'
import { seededRandom } from '../../support/loss/random.js'
import { BAD, BAD_BASE, type Kind, type SetupKind } from './fates.js'
import type { FakeProcess } from './process.js'
import { type Code, World } from './world.js'

/** What a story of a cluster is made of, all drawn from its seed. */
export interface Ending {
  events: number
  outcomes: Record<string, number>
}

/**
 * Plays one random story: reloads, scaling, signals and faults; then, in most, peace, in which the cluster must come to
 * what is wanted; then a stop, after which nothing may be left.
 * @throws AssertionError at the first step where something does not hold
 */
export function play(seed: number, events: number, trace?: (lines: readonly string[]) => void): Ending {
  const random = seededRandom(seed)
  const setup = random() < 0.3 ? (random() < 0.9 ? 'good' : 'fails') : undefined
  const world = new World(random, drawSettings(random), drawServices(random), setup, trace !== undefined)
  try {
    return run(world, random, events)
  } finally {
    if (world.trace) trace?.(world.trace)
  }
}

function run(world: World, random: () => number, events: number): Ending {
  let count = 0
  world.listener = () => {
    if (world.faults && world.state.stopping === 'no' && random() < 0.005) listen(world, random)
  }
  if (random() < 0.5) world.oldFirst = random() < 0.5 ? 1 : 0.4
  world.primes = random() < 0.4
  world.checked = random() < 0.5
  world.maxAge = random() < 0.3 ? 1_000 + random() * 5_000 : 0
  if (world.primes && random() < 0.5) prime(world, random)
  world.apply({ type: 'tick' })
  const pace = 200 + random() * 2_000
  while (count < events && world.state.stopping === 'no') {
    const until = world.now + random() * pace
    while (world.agenda.step(until)) count += 1
    if (world.state.stopping === 'no') happen(world, random)
    world.look()
    count += 1
  }
  if (world.state.stopping === 'no' && random() < 0.75) makePeace(world, random)
  stop(world, random)
  world.checks.answered()
  const outcomes: Record<string, number> = {}
  for (const outcome of world.checks.outcomes) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  return { events: count, outcomes }
}

/** Something from outside. */
function happen(world: World, random: () => number): void {
  const pick = (): FakeProcess | undefined => {
    const all = [...world.processes.values()]
    return all[Math.floor(random() * all.length)]
  }
  const dice = random()
  if (dice < 0.05) world.roll('refork')
  else if (dice < 0.08) world.roll('rollback')
  else if (dice < 0.25) reload(world, random)
  else if (dice < 0.28 && world.primes) prime(world, random)
  else if (dice < 0.4) world.apply({ type: 'scale', workers: 1 + Math.floor(random() * 5) })
  else if (dice < 0.65) pick()?.terminate()
  else if (dice < 0.72) deafen(world, pick())
  else if (dice < 0.85) pick()?.exit()
  else if (dice < 0.9) world.apply({ type: 'settings', settings: { spare: spares(random) } })
  else world.apply({ type: 'tick' })
}

function spares(random: () => number): number | 'auto' {
  return random() < 0.25 ? 'auto' : Math.floor(random() * 3)
}

/** What a listener of the cluster's events may do. */
function listen(world: World, random: () => number): void {
  if (random() < 0.5) world.apply({ type: 'scale', workers: 1 + Math.floor(random() * 5) })
  else reload(world, random)
}

function reload(world: World, random: () => number): void {
  const kind: Kind = random() < 0.5 ? 'good' : (BAD[Math.floor(random() * BAD.length)] as Kind)
  const setup = random() < 0.6 ? undefined : SETUPS[Math.floor(random() * SETUPS.length)]
  const code = { kind, workers: random() < 0.2 ? 1 + Math.floor(random() * 5) : undefined, setup }
  if (random() < world.oldFirst) world.reloadOldFirst(code)
  else if (random() < 0.6) world.reload(code)
  else world.reload(code, random() < 0.3 ? false : { ...RULE, soak: 200 + random() * 5_000 })
}

function prime(world: World, random: () => number): void {
  const kind = random() < 0.6 ? 'good' : (BAD_BASE[Math.floor(random() * BAD_BASE.length)] as Kind)
  world.prime({ kind }, random() < 0.5)
}

function deafen(world: World, process: FakeProcess | undefined): void {
  if (process?.member.role === 'worker' && process.state === 'listening') world.deaf(process)
}

/** Without new faults the cluster comes to exactly what is wanted; and a good reload works. */
function makePeace(world: World, random: () => number): void {
  world.mend()
  wait(world, PEACE)
  converged(world)
  const { latest } = world.state
  const code: Code = { kind: 'good', setup: random() < 0.3 ? 'good' : undefined }
  const request = random() < world.oldFirst ? world.reloadOldFirst(code) : world.reload(code)
  wait(world, PEACE)
  assert.equal(world.checks.outcome(request), 'done', 'the outcome of a good reload in peace')
  assert.equal(world.state.current, latest + 1)
  assert.equal(world.state.failure, undefined, 'a good reload mends it')
  converged(world)
  world.apply({ type: 'scale', workers: 1 + Math.floor(random() * 5) })
  wait(world, random() < 0.5 ? PEACE : random() * 2_000)
  if (random() < 0.5) reload(world, random)
  wait(world, random() * 3_000)
}

/** All workers serve, or the fallback in place of an app that has failed. */
function converged({ state, roster }: World): void {
  const { settings, services, current, failure, base, setups } = state
  assert.equal(state.roll, undefined, 'a roll still runs in peace')
  assert.equal(state.nextBase, undefined, 'a base is still awaited in peace')
  const shown = roster.members.map(({ role, name, generation, state, stale, fallback }) => {
    const how = role === 'mold' && /ready|promoted/.test(state) ? '' : ` ${state}`
    return `${role}${name} g${generation}${how}${fallback ? ' fallback' : ''}${stale ? ' stale' : ''}`
  })
  const auto = state.molded.includes(current) && !base ? 1 : 0
  const spare = settings.spare === 'auto' ? auto : settings.spare
  const workers = [
    ...Array<string>(settings.workers).fill(`worker g${current} serving`),
    ...Array<string>(spare).fill(`worker g${current} ready`)
  ]
  // Where an app listens that never served is not known.
  const fallback = state.everServed ? [`worker g${current} serving fallback`] : []
  const bases = base ? [`mold g${base.generation}`] : []
  // Of what could not be set up nothing runs, until the next reload.
  const nothing = setups.failed === current
  const wanted = [
    ...(failure ? fallback : nothing ? [] : workers),
    ...bases,
    ...state.molded.map((generation) => `mold g${generation}`),
    ...(nothing ? [] : services).flatMap(({ name, count }) =>
      Array<string>(count).fill(`service${name} g${current} serving`)
    )
  ]
  // Workers of a roll that failed serve on where there are none to take their place.
  const left = nothing ? shown.filter((one) => !/^worker .* serving$/.test(one)) : shown
  assert.deepEqual(left.sort(), wanted.sort(), 'what runs in peace')
}

/** Everything ends after a stop, and a reload is refused. */
function stop(world: World, random: () => number): void {
  const { settings, everServed } = world.state
  const now = random() < 0.3
  const began = world.now
  world.apply({ type: 'stop', mode: now ? 'now' : 'graceful' })
  assert.equal(world.checks.outcome(world.reload({ kind: 'good' })), 'refused')
  const hurried = !now && random() < 0.4
  if (hurried) {
    wait(world, random() * 1_000)
    if (!world.stopped) world.apply({ type: 'stop', mode: 'now' })
  }
  while (!world.stopped && world.agenda.step(began + PEACE));
  assert.ok(world.stopped, `${world.roster.members.length} processes are left after the stop`)
  const took = world.now - began
  // Workers and then services, each with its drain, the grace after it, and the kill's own time; and the teardown.
  const teardown = Math.max(settings.setupTimeout + 6_000, 4_000)
  const longest = now ? 100 : hurried ? 1_100 : 2 * (settings.drainTimeout + 6_000) + teardown
  assert.ok(took <= longest, `the stop took ${took} ms`)
  const torn = [...world.checks.tasks].some((task) => task.startsWith('teardown'))
  if (now || !everServed || !settings.teardown) assert.ok(!torn, 'torn down for nothing')
  else assert.ok(torn || hurried, 'not torn down')
}

function wait(world: World, time: number): void {
  const until = world.now + time
  while (world.agenda.step(until));
}

function drawSettings(random: () => number): PlanSettings {
  const one = <Value>(...values: Value[]) => values[Math.floor(random() * values.length)] as Value
  return {
    workers: one(1, 1, 2, 3, 4, 5),
    spare: one<number | 'auto'>(0, 'auto', 1, 2),
    surge: one(1, 1, 1, 2, 3),
    settle: one(0, 100, 1_000),
    canary: one<PlanSettings['canary']>(false, false, RULE),
    maxRetiring: one(1, 2),
    bootAttempts: 3,
    bootTimeout: one(2_000, 5_000),
    hangTimeout: one(0, 2_000, 5_000),
    drainTimeout: one(0, 1_000, 10_000),
    setupTimeout: one(0, 5_000, 10_000),
    rollbackWindow: one(0, 5_000, 60_000),
    rollbackShare: one(0, 0.5),
    fork: random() < 0.5,
    warmup: random() < 0.5,
    fallback: random() < 0.4,
    teardown: random() < 0.4
  }
}

function drawServices(random: () => number) {
  if (random() < 0.5) return []
  return [
    { name: 'shell', count: 1 },
    { name: 'jobs', count: 1 + Math.floor(random() * 2), alone: true as const }
  ]
}

const RULE = { soak: 2_000, maxErrorRate: 0.01, maxLatencyRatio: 2, minRequests: 100 }
const SETUPS: readonly SetupKind[] = ['good', 'good', 'fails', 'hangs']
/** Longer than anything takes without new faults, virtual ms. */
const PEACE = 180_000
