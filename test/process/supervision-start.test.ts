import t from 'tap'
import { FAILED, failsToStart, HUNG, startBroken, THREW, TIMED_OUT, testForms } from '../support/failing.js'

testForms(t, 'mapache start', 'module')

t.test('an entry that blocks its loop in boot is ended, too', async (t) => {
  const fixture = startBroken(t, 'module', 'blocks.mjs', { bootTimeout: 2_000 })
  await failsToStart(t, fixture, TIMED_OUT, HUNG)
})

t.test('each place is tried bootAttempts times', async (t) => {
  for (const attempts of [1, 4]) {
    const fixture = startBroken(t, 'module', 'exits.mjs', { attempts })
    await failsToStart(t, fixture, FAILED, [new RegExp(`no worker became ready in ${attempts} attempts`)])
    t.equal(fixture.output.match(/ended \(boot-failed, code 7\)/g)?.length, attempts)
  }
})

t.test('of many workers with one fault the app hears once, whole', async (t) => {
  const fixture = startBroken(t, 'module', 'throws.mjs', { workers: 4, attempts: 2 })
  await failsToStart(t, fixture, FAILED, THREW)
  t.equal(fixture.log.filter(({ err }) => err?.stack.includes('the factory threw')).length, 1)
  t.match(fixture.output, /the factory threw, as before/)
})
