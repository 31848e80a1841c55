import { supported } from '#native'
import { type Fixture, type FixtureOptions, start, type Test } from './fixture.js'

const support = supported()

/** For the options of a test: why it cannot run, if it cannot. */
export const unsupported: { skip: string | false } = { skip: support.ok ? false : support.reason }

/** Starts a script of test/fixtures/native. */
export function startNative(t: Test, script: string, options?: FixtureOptions): Fixture {
  return start(t, `native/${script}`, options)
}

/** The lines of JSON that a script has printed. */
export function said<Line>(fixture: Fixture): Line[] {
  return fixture.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
}
