import t from 'tap'
import { RemoteCluster } from '#core/remote-cluster.js'

t.test('a canary that the channel would refuse is refused before it is sent, with what to change', async (t) => {
  const sent: unknown[] = []
  const caller = { call: async (...args: unknown[]) => sent.push(args), onEvent: () => {} }
  const cluster = new RemoteCluster('worker', caller as never)
  for (const canary of [null, true, 0, { soak: 5 }]) {
    await t.rejects(cluster.reload({ canary: canary as never }), {
      code: 'MAPACHE_OPTION_INVALID',
      message: /canary/
    })
  }
  t.strictSame(sent, [])
  await cluster.reload({ canary: false })
  t.strictSame(sent, [['reload', { oldFirst: false, canary: false }]])
})
