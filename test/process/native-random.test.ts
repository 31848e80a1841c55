import t from 'tap'
import { ended, said, startNative, unsupported } from '../support/native.js'

t.test('siblings never draw the same random values', unsupported, async (t) => {
  const folder = t.testdir({})
  const mold = startNative(t, 'random.mjs', { args: [folder, '12', '2000'] })
  t.strictSame(await ended(mold), { code: 0, signal: null })
  t.strictSame(said(mold), [
    {
      drawn: Array(5).fill(26_000),
      repeated: { random: 0, randomUUID: 0, webRandomUUID: 0, randomInt: 0, randomBytes: 0 }
    }
  ])
})
