import t from 'tap'
import { Watch } from '../support/deploy.js'
import { get, start, until } from '../support/fixture.js'
import { operate } from '../support/operated.js'

const events = (output: string) =>
  [...output.matchAll(/^event (worker:\w+) (\d+) (\d+)/gm)].map(([, e, id, gen]) => `${e} ${id} ${gen}`)

t.test('with every worker killed the port stays open: clients wait and are answered', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  for (let round = 0; round < 3; round += 1) {
    for (const pid of fixture.workers) process.kill(pid, 'SIGKILL')
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => get(port)))
    // What a dying worker had accepted is lost with it; nobody is refused.
    for (const answer of answers) {
      if (answer.status === 'rejected') t.not(answer.reason.code, 'ECONNREFUSED')
    }
    t.ok(answers.some(({ status }) => status === 'fulfilled'))
    await until(() => fixture.workers.length === 2 && !fixture.workers.some((pid) => pids.includes(pid)), 'new workers')
  }
})

t.test('a crash loop after a good start never ends the supervisor, and shows in the log', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { OPTIONS: '{"workers":1,"backoff":{"min":10,"max":200}}' } })
  const port = await fixture.port()
  for (let round = 0; round < 6; round += 1) {
    const before = fixture.workers[0]
    await get(port, '/exit?code=9').catch(() => {})
    await until(() => fixture.workers.length === 1 && fixture.workers[0] !== before, 'a new worker')
  }
  await fixture.printed(/3 failures in a row in place 1; next launch in \d+ ms/)
  t.match(fixture.output, /ended \(crash, code 9\)/)
  t.notOk(fixture.exited)
})

t.test('an uncaught error is logged with its stack, and its worker replaced', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  await get(port, '/throw').catch(() => {})
  const [line] = await fixture.printed(/.*ended \(crash, code 1\).*/)
  t.match(JSON.parse(line).err, { message: 'thrown in a request', stack: /life\.mjs/ })
  await fixture.workersServing(2)
})

t.test('a worker that closes its own server is replaced', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  await fixture.workersServing(2)
  const { body } = await get(port, '/close')
  const pid = body.split(' ')[1]
  await fixture.printed(new RegExp(`pid=${pid} is no longer listening; replaced`))
  await fixture.printed(new RegExp(`pid=${pid} ended \\(not-listening`))
  await fixture.workersServing(2)
  t.equal((await get(port)).status, 200)
})

t.test('SIGTERM to a worker: its replacement serves before it retires', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  const [pid] = await fixture.workersServing(2)
  const watch = new Watch(t, port)
  watch.allowed = { includes: () => true } as never
  process.kill(pid as number, 'SIGTERM')
  await fixture.printed(/event worker:exit \d+ 1 signal/)
  const happened = events(fixture.output)
  const serving = happened.indexOf('worker:serving 3 1')
  t.ok(serving >= 0 && serving < happened.findIndex((one) => one.startsWith('worker:retire')))
  await watch.more(5)
  t.strictSame(await watch.stop(), [])
})

t.test('workers take no notice of SIGHUP, SIGINT and SIGUSR2', async (t) => {
  const fixture = start(t, 'life.mjs')
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  for (const pid of pids) for (const signal of ['SIGHUP', 'SIGINT', 'SIGUSR2'] as const) process.kill(pid, signal)
  for (let i = 0; i < 10; i += 1) t.ok(pids.includes(Number((await get(port)).body.split(' ')[2])))
  t.strictSame(fixture.workers, pids)
})

t.test('SIGTTIN and SIGTTOU scale, SIGUSR2 and SIGURG are refused by name', async (t) => {
  const fixture = start(t, 'life.mjs')
  await fixture.workersServing(2)
  fixture.kill('SIGTTIN')
  await fixture.workersServing(3)
  for (const count of [2, 1]) {
    fixture.kill('SIGTTOU')
    await fixture.workersServing(count)
  }
  const from = fixture.output.length
  fixture.kill('SIGTTOU')
  await fixture.printed(/scaling to 1 workers/, from)
  fixture.kill('SIGUSR2')
  await fixture.printed(/MAPACHE_UPGRADE_UNSUPPORTED/)
  fixture.kill('SIGURG')
  await fixture.printed(/MAPACHE_REFORK_UNSUPPORTED/)
  t.equal(fixture.workers.length, 1)
})

t.test('a roll is new before old, one at a time, and settles once', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { OPTIONS: '{"workers":3}' } })
  await fixture.workersServing(3)
  const from = fixture.output.length
  fixture.kill('SIGHUP')
  await fixture.printed(/reloaded: gen=2/)
  let serving = 3
  for (const happened of events(fixture.output.slice(from))) {
    if (happened.startsWith('worker:serving')) serving += 1
    if (happened.startsWith('worker:retire')) serving -= 1
    t.ok(serving >= 3 && serving <= 4, `${happened}: ${serving} serve`)
  }
  t.equal(fixture.output.split('settled; rolling').length, 2)
})

t.test('vitals tell of each worker once a second', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { VITALS: '1', OPTIONS: '{"workers":1}' } })
  const port = await fixture.port()
  for (let i = 0; i < 5; i += 1) await get(port)
  const [, json = ''] = await fixture.printed(/vitals 1 (\{"requests":5.*\})/)
  const vitals = JSON.parse(json)
  t.match(vitals, { inFlight: 0, listening: true, utilisation: Number, delayP99: Number })
  t.ok(vitals.rss > 1e7 && vitals.heapUsed > 1e6)
})

t.test('a worker whose loop is blocked past hangTimeout is killed and replaced', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { OPTIONS: '{"hangTimeout":2000}' } })
  const port = await fixture.port()
  await fixture.workersServing(2)
  get(port, '/block?ms=600000').catch(() => {})
  await fixture.printed(/ended \(hung, SIGKILL\)/)
  await fixture.workersServing(2)
})

t.test('a supervisor that was itself stopped kills nobody for it', async (t) => {
  const fixture = start(t, 'life.mjs', { env: { OPTIONS: '{"hangTimeout":3000}', VITALS: '1' } })
  const port = await fixture.port()
  const pids = await fixture.workersServing(2)
  const cluster = await operate(t, fixture)
  const both = /vitals 1 [\s\S]*vitals 2 |vitals 2 [\s\S]*vitals 1 /
  await fixture.printed(both)
  fixture.kill('SIGSTOP')
  for (const pid of pids) process.kill(pid, 'SIGSTOP')
  // No event tells that time has passed for a process that stands still: this is that time.
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  fixture.kill('SIGCONT')
  await cluster.status()
  for (const pid of pids) process.kill(pid, 'SIGCONT')
  const from = fixture.output.length
  await fixture.printed(both, from)
  t.strictSame(fixture.workers, pids)
  t.equal((await get(port)).status, 200)
})

t.test('the app sees nothing of the launch: no variable, no argument, no worker in its children', async (t) => {
  const fixture = start(t, 'life.mjs', {
    nodeArgs: ['--inspect=0', '--no-warnings'],
    env: { NODE_OPTIONS: '--inspect=0' }
  })
  const port = await fixture.port()
  await fixture.workersServing(2)
  const { env, execArgv, argv } = JSON.parse((await get(port, '/env')).body)
  t.strictSame(
    Object.keys(env).filter((name) => /^MAPACHE_(?!TEST)/.test(name)),
    []
  )
  t.strictSame(execArgv, ['--no-warnings'])
  t.match(argv[1], /life\.mjs$/)
  t.notOk(env.NODE_OPTIONS)
})
