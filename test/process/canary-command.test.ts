import t from 'tap'
import { Traffic } from '../support/canary.js'
import { Shop } from '../support/cli.js'
import { versionApp } from '../support/deploy.js'

t.jobs = 2

/** An app that answers with an error. */
const broken = (version: string) => versionApp(version).replace('res.end(', 'res.writeHead(500).end(')

t.test('a reload with a canary prints both in figures, when it is done and when it failed', async (t) => {
  const shop = new Shop(t, versionApp('v1'))
  const port = await shop.fixture.port()
  await shop.fixture.workersServing(2)
  const traffic = new Traffic(t, port, 4)
  shop.app.write('server.mjs', broken('v2'))
  const bad = await shop.run('reload', '--canary', '20000')
  t.equal(bad.code, 1)
  t.match(bad.stdout, /^generation 2 has a canary, which is compared for 20s$/m)
  t.match(bad.stdout, /^the canary of generation 2 was worse: 1 serves on$/m)
  t.match(bad.stderr, /^mapache: MAPACHE_CANARY_FAILED: generation 2 is worse than generation 1: 100 % of its /)
  t.match(bad.stderr, /^ +ANSWERS +ERRORS +SHARE +BROKEN OFF +P50 +P99 +LOOP DELAY +CRASHES$/m)
  t.match(bad.stderr, /^canary +(\d+) +\1 +100% +0 /m)
  t.match(bad.stderr, /^old workers +\d+ +0 +0% +0 /m)
  const json = await shop.run('reload', '--canary', '20000', '--json')
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), {
    error: {
      code: 'MAPACHE_CANARY_FAILED',
      phase: 'canary',
      figures: { canary: { errorRate: 1 }, old: { errorRate: 0 } }
    }
  })
  const lenient = await shop.run('reload', '--canary', '1000', '--max-error-rate', '1', '--max-latency-ratio', '1000')
  t.match(lenient, { code: 0, stdout: /\ncanary +\d+ +\d+ +100% [\s\S]*\nreload done: generation 4 serves after / })
  t.strictSame((await traffic.stop()).lost, [])
})

t.test('status tells of a soak, and a rollback ends it', async (t) => {
  const shop = new Shop(t, versionApp('v1'))
  await shop.fixture.workersServing(2)
  const reload = shop.begin('reload', '--canary', '60000')
  await reload.printed(/has a canary/)
  const status = await shop.run('status')
  t.match(status.stdout, /^reload to generation 2: soaking, \d+s left, 0 answers of the canary, 0 of them errors$/m)
  t.equal((await shop.run('rollback')).code, 0)
  t.match(await reload.ended, { code: 1, stderr: /MAPACHE_ROLLED_BACK/ })
})

t.test('what makes no canary is refused', async (t) => {
  const shop = new Shop(t, versionApp('v1'))
  await shop.fixture.workersServing(2)
  for (const [args, said] of [
    [['--no-canary', '--max-error-rate', '0.1'], /need a canary/],
    [['--canary', '10'], /canary\.soak must be a whole number of milliseconds from 1000/],
    [['--max-error-rate', '7'], /canary\.maxErrorRate must be a number from 0 to 1, got 7/],
    [['--max-latency-ratio', 'x'], /must be a number from 0 up/],
    [['--canary', 'soon'], /must be a whole number from 1 up/]
  ] as const) {
    const { code, stderr } = await shop.run('reload', ...args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, said)
  }
  t.equal(JSON.parse((await shop.run('status', '--json')).stdout).generation, 1)
})
