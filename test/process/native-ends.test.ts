import t from 'tap'
import { ended, said, startNative, unsupported } from '../support/native.js'

interface End {
  way: string
  code: number | null
  signal: string | null
}

const expected: Record<string, Omit<End, 'way'>> = {
  exit: { code: 3, signal: null },
  exitCode: { code: 4, signal: null },
  nothing: { code: 0, signal: null },
  exitListener: { code: 9, signal: null },
  exitInListener: { code: 11, signal: null },
  thrown: { code: 1, signal: null },
  rejected: { code: 1, signal: null },
  thrownInListener: { code: 1, signal: null },
  caught: { code: 12, signal: null },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGKILL: { code: null, signal: 'SIGKILL' },
  abort: { code: null, signal: 'SIGABRT' },
  native: { code: 5, signal: null },
  afterWork: { code: 6, signal: null },
  afterCompilation: { code: 8, signal: null },
  forking: { code: 14, signal: null }
}

t.test('a forked process ends as any other, in every way', unsupported, async (t) => {
  const mold = startNative(t, 'ends.mjs')
  t.strictSame(await ended(mold), { code: 20, signal: null }, 'the one that forked them too')
  const ends = said<End>(mold)
  t.strictSame(
    ends.map(({ way }) => way),
    Object.keys(expected)
  )
  for (const { way, ...end } of ends) t.strictSame(end, expected[way], way)
  t.match(mold.output, /Error: thrown in a forked process\n +at /)
  t.match(mold.output, /Error: rejected in a forked process\n +at /)
  t.match(mold.output, /Error: thrown while leaving\n +at /)
  t.notMatch(mold.output, 'nobody sees it')
  t.strictSame(mold.processes(), [])
})

t.test('the ways and the ends are those of a process that was not forked', unsupported, async (t) => {
  for (const [way, end] of Object.entries(expected)) {
    t.strictSame(await startNative(t, 'ends.mjs', { args: [way] }).exit(), end, way)
  }
})
