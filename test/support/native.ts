import { once } from 'node:events'
import { supported } from '#native'
import { before, type Fixture, type FixtureOptions, start, type Test } from './fixture.js'

const support = supported()

/** For the options of a test: why it cannot run, if it cannot. */
export const unsupported: { skip: string | false } = { skip: support.ok ? false : support.reason }

/** Starts a script of test/fixtures/native. */
export function startNative(t: Test, script: string, options?: FixtureOptions): Fixture {
  return start(t, `native/${script}`, options)
}

/** Waits for the end of a script, and for all that it has printed. */
export async function ended(fixture: Fixture): Promise<Awaited<ReturnType<Fixture['exit']>>> {
  const end = await fixture.exit()
  const { stdout, stderr } = fixture.child
  for (const stream of [stdout, stderr]) {
    if (stream && !stream.closed) {
      await before(once(stream, 'close'), () => `the end of what it prints\n${fixture.output}`)
    }
  }
  return end
}

/** The lines of JSON that a script has printed. */
export function said<Line>(fixture: Fixture): Line[] {
  return fixture.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
}
