import t from 'tap'
import type { Fate } from './world.js'
import { type SETTINGS, World } from './world.js'

const GOOD: Fate = { bootIn: 10, boots: 'ready', servesIn: 1, leavesIn: 10 }
const LONG = 60_000

function started(settings: Partial<typeof SETTINGS> = {}, services: { name: string; count: number }[] = []): World {
  const world = new World(settings, services)
  world.run(50)
  return world
}

const failures = (world: World) => world.effects.flatMap((one) => (one.do === 'failed' ? [one.phase] : []))

t.test('a start launches all workers at once, and each serves', async (t) => {
  const world = new World()
  t.equal(world.workers.length, 3)
  world.run(50)
  t.equal(world.serving(1).length, 3)
  t.strictSame(
    world.workers.map(({ place }) => place),
    [1, 2, 3]
  )
})

t.test('a reload launches one, lets it settle, then replaces the others new before old', async (t) => {
  const world = started()
  const request = world.reload()
  world.run(50)
  t.strictSame([world.serving(1).length, world.serving(2).length], [3, 1], 'it settles beside the old ones')
  t.equal(world.state.roll?.phase, 'settling')
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 400; i += 1) {
    world.run(1)
    least = Math.min(least, world.serving().length)
  }
  t.equal(least, 3, 'never fewer than the target')
  t.equal(world.outcomes.get(request), 'done')
  t.strictSame([world.serving(1).length, world.serving(2).length, world.state.current], [0, 3, 2])
})

t.test('with a surge of two a roll replaces two at a time', async (t) => {
  const world = started({ surge: 2, workers: 4 })
  world.reload()
  let most = 0
  for (let i = 0; i < 200; i += 1) {
    world.run(1)
    most = Math.max(most, world.workers.filter(({ state }) => state !== 'retiring').length)
  }
  t.equal(most, 6)
  world.run(200)
  t.equal(world.serving(2).length, 4)
})

t.test('one reload runs, one waits, and a newer one takes the place of the one that waits', async (t) => {
  const world = started()
  const [first, second, third] = [world.reload(), world.reload(), world.reload()]
  t.equal(world.outcomes.get(second), 'superseded')
  world.run(1_000)
  t.strictSame([world.outcomes.get(first), world.outcomes.get(third), world.state.current], ['done', 'done', 3])
})

for (const [name, fate, phase] of [
  ['that does not boot', { ...GOOD, boots: 'exits' }, 'boot'],
  ['that hangs in boot', { ...GOOD, boots: 'hangs' }, 'boot'],
  ['that dies within settle', { ...GOOD, crashesIn: 50 }, 'settle']
] as const) {
  t.test(`a generation ${name} changes nothing that serves`, async (t) => {
    const world = started()
    const before = world.serving(1).map(({ id }) => id)
    world.fate = (member) => (member.generation === 2 ? fate : GOOD)
    const bad = world.reload()
    world.run(5_000)
    t.equal(world.outcomes.get(bad), 'failed')
    t.strictSame(failures(world), [phase])
    t.strictSame(
      world.serving().map(({ id }) => id),
      before
    )
    const good = world.reload()
    world.run(1_000)
    t.equal(world.outcomes.get(good), 'done')
    t.equal(world.serving(3).length, 3)
  })
}

t.test('a later worker of a roll that does not boot brings the old generation back', async (t) => {
  const world = started()
  let launched = 0
  world.fate = (member) => {
    if (member.generation === 2 && member.state === 'launching') launched += 1
    return member.generation === 2 && launched > 1 ? { ...GOOD, boots: 'exits' } : GOOD
  }
  const request = world.reload()
  world.run(2_000)
  t.equal(world.outcomes.get(request), 'failed')
  t.strictSame(failures(world), ['roll'])
  t.strictSame([world.serving(1).length, world.serving(2).length, world.state.current], [3, 0, 1])
})

t.test('a generation that cannot be prepared fails its reload, and the one that waits goes on', async (t) => {
  const world = started()
  const [first, second] = [world.reload(), world.reload()]
  world.apply({ type: 'generation-failed', generation: 2, error: { name: 'E', message: 'm', stack: 's' } })
  t.equal(world.outcomes.get(first), 'failed')
  world.run(1_000)
  t.equal(world.outcomes.get(second), 'done')
})

t.test('the supervisor gives up only if nothing was ever ready', async (t) => {
  const never = new World({}, [], () => ({ ...GOOD, boots: 'exits' }))
  never.run(LONG)
  t.ok(never.gaveUp)
  const later = started()
  later.fate = () => ({ ...GOOD, boots: 'exits' })
  for (const member of later.serving()) later.crash(member)
  later.run(LONG)
  t.notOk(later.gaveUp)
  t.equal(later.serving().length, 0)
  later.fate = () => GOOD
  later.run(LONG)
  t.equal(later.serving().length, 3, 'and they come back when they can')
})

t.test('a place that keeps failing waits longer each time; its neighbours do not', async (t) => {
  const world = started()
  world.fate = (member) => (member.place === 1 ? { ...GOOD, crashesIn: 5 } : GOOD)
  const [first] = world.serving()
  if (first) world.crash(first)
  world.actions.length = 0
  world.run(LONG)
  const launches = world.actions.filter((action) => action.do === 'launch')
  t.ok(launches.length > 10 && launches.length < 100, `${launches.length} launches in a minute`)
  t.equal(world.serving().filter(({ place }) => place !== 1).length, 2)
})

t.test('a worker that was asked to leave is replaced before it retires; a useless one at once', async (t) => {
  const world = started()
  const [polite, useless] = world.serving()
  if (!polite || !useless) return t.fail('no workers')
  world.stale(polite, false)
  t.equal(polite.state, 'serving')
  world.run(50)
  t.notOk(world.roster.get(polite.id))
  t.equal(world.serving().length, 3)
  world.stale(useless, true)
  t.equal(useless.state, 'retiring')
  world.run(50)
  t.equal(world.serving().length, 3)
})

t.test('scaling adds and removes without touching the others', async (t) => {
  const world = started()
  const before = world.serving().map(({ id }) => id)
  world.apply({ type: 'scale', workers: 5 })
  world.run(50)
  t.equal(world.serving().length, 5)
  world.apply({ type: 'scale', workers: 2 })
  world.run(50)
  t.equal(world.serving().length, 2)
  t.ok(world.serving().every(({ id }) => before.includes(id)))
})

t.test('spares are held back, and step in at once', async (t) => {
  const world = started({ spare: 1 })
  t.equal(world.serving().length, 3)
  const spare = world.workers.find(({ state }) => state === 'ready')
  t.ok(spare)
  const [victim] = world.serving()
  if (victim) world.crash(victim)
  t.ok(spare?.activatedAt !== undefined, 'activated without a boot')
  world.run(50)
  t.equal(world.serving().length, 3)
  t.equal(world.workers.filter(({ state }) => state === 'ready').length, 1, 'and a new one is prepared')
})

t.test('a silent worker is killed and replaced', async (t) => {
  const world = started()
  const [victim] = world.serving()
  if (!victim) return t.fail('no workers')
  world.frozen.add(victim.id)
  for (let i = 0; i < 20; i += 1) {
    world.run(500)
    world.apply({ type: 'tick' })
  }
  t.equal(victim.reason, 'hung')
  t.equal(world.serving().length, 3)
})

t.test('a worker that does not leave is killed after the drain, and the reason stays the first', async (t) => {
  const world = started()
  world.fate = () => ({ ...GOOD, leavesIn: LONG })
  const old = world.serving()
  world.reload()
  world.run(20_000)
  t.ok(old.every(({ id, reason }) => !world.roster.get(id) && reason === 'reload'))
})

t.test('where more than maxRetiring drain in a place, the oldest is hurried once', async (t) => {
  const world = started({ workers: 1, settle: 0, drainTimeout: LONG })
  world.fate = () => ({ ...GOOD, leavesIn: LONG / 2 })
  for (let i = 0; i < 4; i += 1) {
    world.reload()
    world.run(100)
  }
  const hurried = world.actions.flatMap((action) => (action.do === 'hurry' ? [action.id] : []))
  t.strictSame(hurried, [1, 2])
})

t.test('a stop ends what does not accept first, then retires what serves, then the services', async (t) => {
  const world = started({ spare: 1 }, [{ name: 'cron', count: 1 }])
  const service = world.roster.members.find(({ role }) => role === 'service')
  world.actions.length = 0
  const request = world.reload()
  world.apply({ type: 'stop', mode: 'graceful' })
  t.equal(world.outcomes.get(request), 'refused')
  t.ok(world.serving().length === 3, 'nobody is retired before those that only hold the socket are gone')
  world.run(5)
  t.ok(world.workers.every(({ state }) => state === 'retiring'))
  t.equal(service?.state, 'serving')
  world.run(LONG)
  t.equal(world.roster.members.length, 0)
  t.equal(service?.reason, 'stop')
  t.notOk(world.actions.slice(-1).some((action) => action.do === 'launch'))
})

t.test('a stop at once kills all', async (t) => {
  const world = started({}, [{ name: 'cron', count: 2 }])
  world.apply({ type: 'stop', mode: 'now' })
  world.run(5)
  t.equal(world.roster.members.length, 0)
})

t.test('a service that never comes up disturbs neither workers nor reloads', async (t) => {
  const world = new World({}, [{ name: 'cron', count: 1 }])
  world.fate = (member) => (member.role === 'service' ? { ...GOOD, boots: 'exits' } : GOOD)
  world.run(100)
  const request = world.reload()
  world.run(1_000)
  t.equal(world.outcomes.get(request), 'done')
  t.equal(world.serving(2).length, 3)
})

t.test('a service is replaced with the generation, its successor first', async (t) => {
  const world = started({}, [{ name: 'cron', count: 1 }])
  world.reload()
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 500; i += 1) {
    world.run(1)
    const serving = world.roster.members.filter(({ role, state }) => role === 'service' && state === 'serving')
    least = Math.min(least, serving.length)
  }
  t.equal(least, 1)
  t.ok(world.roster.members.every(({ generation }) => generation === 2))
})
