import t from 'tap'
import { Listeners } from '#core/supervisor/listeners.js'

t.test('a path that the system would cut is refused', async (t) => {
  const listeners = new Listeners()
  const path = `${t.testdir()}/${'x'.repeat(100)}.sock`
  await t.rejects(listeners.bind({ path }), {
    code: 'MAPACHE_ADDRESS_UNAVAILABLE',
    message: /the path of a Unix socket has at most \d+ bytes: .*x\.sock/
  })
  t.same(listeners.all, [])
})
