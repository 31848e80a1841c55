import path from 'node:path'
import type { Test } from 'tap'
import { FIXTURES, type Fixture, type FixtureOptions, start, startCli } from './fixture.js'

/** The ways to start an app. The broken module is the entry, the factory's module, or loaded in a worker by the app. */
export type Form = 'mapache start' | 'function' | 'module' | 'register'

export interface Wanted {
  /** How often a place may fail; only the command line has no option for it, and its three. */
  attempts?: number
  workers?: number
  bootTimeout?: number
}

/** Tests that every broken module fails the start in these forms. */
export function testForms(t: Test, ...forms: Form[]): void {
  // They wait more than they work.
  t.jobs = 3
  for (const form of forms) {
    for (const [file, code, said] of FORMS[form]) {
      t.test(`${form}: ${file} fails the start with the app's own error, whole, and leaves nothing`, async (t) => {
        const fixture = startBroken(t, form, file, code === TIMED_OUT ? { bootTimeout: 2_000 } : {})
        await failsToStart(t, fixture, code, said)
      })
    }
  }
}

/** Starts a module of test/fixtures/broken in one of the forms. */
export function startBroken(
  t: Test,
  form: Form,
  file: string,
  wanted: Wanted = {},
  rest: FixtureOptions = {}
): Fixture {
  const { attempts = 1, workers = 1, bootTimeout = 30_000 } = wanted
  const cwd = path.join(FIXTURES, 'broken')
  if (form === 'mapache start') {
    return startCli(t, ['-w', String(workers), '--boot-timeout', String(bootTimeout), file], { cwd, ...rest })
  }
  const options = JSON.stringify({ workers, bootTimeout, bootAttempts: attempts })
  return start(t, `broken/by-${form}.mjs`, { cwd, args: [`./${file}`, options], ...rest })
}

/** Checks that a start failed as it should: one error, printed whole, and nothing left running or behind. */
export async function failsToStart(t: Test, fixture: Fixture, code: string, said: readonly RegExp[]): Promise<void> {
  t.strictSame(await fixture.exit(), { code: 1, signal: null })
  await fixture.printed(/"msg":"stopped"/)
  t.match(fixture.output, new RegExp(`${code}: no worker became ready in \\d attempts: `))
  for (const pattern of said) t.match(fixture.output, pattern)
  // A promise that somebody waits for must not have been resolved.
  t.strictSame(/unreachable|serving on/.exec(fixture.output), null)
  t.strictSame(fixture.processes(), [], 'nothing left running')
  t.strictSame(fixture.leftovers(), [], 'and nothing behind')
}

export const FAILED = 'MAPACHE_BOOT_FAILED'
export const TIMED_OUT = 'MAPACHE_BOOT_TIMEOUT'
const SYNTAX = [/file:.*\/broken\/syntax\.mjs:1\n/, /SyntaxError: Unexpected token ';'/]
const MISSING = [/Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module '.*nope\.mjs' imported from .*missing\.mjs/]
const REJECTED = [/Error: tla rejected\n +at file:.*\/tla\.mjs:1:22/]
export const THREW = [/Error: the factory threw\n +at .*throws\.mjs:2:9/]
const CAUSED = [
  /TypeError\]?: the factory rejected\n +at .*rejects\.mjs:2:9/,
  /\[cause\]: Error: no database\n +at .*rejects\.mjs:2:\d+/
]
const NEVER = [/exited with code 13 before it was ready: a top-level await was never settled/]
const EXITED = [/exited with code 7 before it was ready/]
export const HUNG = [/it was not ready after 2000 ms/]

type Case = [file: string, code: string, said: readonly RegExp[]]

const OF_A_MODULE: readonly Case[] = [
  ['syntax.mjs', FAILED, SYNTAX],
  ['syntax.cjs', FAILED, [/\/broken\/syntax\.cjs:3\n *const x = ; foo/, /SyntaxError: Unexpected token ';'/]],
  ['missing.mjs', FAILED, MISSING],
  ['tla.mjs', FAILED, REJECTED],
  ['never.mjs', FAILED, NEVER],
  ['exits.mjs', FAILED, EXITED]
]
const OF_A_FACTORY: readonly Case[] = [
  ['throws.mjs', FAILED, THREW],
  ['rejects.mjs', FAILED, CAUSED],
  ['factory-exits.mjs', FAILED, EXITED],
  ['factory-never.mjs', FAILED, NEVER],
  ['factory-hangs.mjs', TIMED_OUT, HUNG]
]
const OF_ITS_RESULT: readonly Case[] = [
  ['nothing.mjs', FAILED, [/MAPACHE_FACTORY_INVALID: the http factory returned undefined; it must return the app/]],
  ['wrong.mjs', FAILED, [/MAPACHE_FACTORY_INVALID: the factory must return a request listener .* got 42/]]
]

/** What must be said, by form and module. */
export const FORMS: Record<Form, readonly Case[]> = {
  'mapache start': [
    ...OF_A_MODULE,
    ['ends.mjs', FAILED, [/exited with code 0 before it was ready: the entry came to its end without listening/]],
    ['hangs.mjs', TIMED_OUT, HUNG]
  ],
  function: [...OF_A_MODULE, ...OF_A_FACTORY, ...OF_ITS_RESULT],
  module: [
    ...OF_A_MODULE,
    ...OF_A_FACTORY,
    ...OF_ITS_RESULT,
    ['no-function.mjs', FAILED, [/MAPACHE_FACTORY_INVALID: the factory must be a function, .* got 'no function'/]],
    ['ends.mjs', FAILED, [/MAPACHE_FACTORY_INVALID: the factory must be a function, .* got undefined/]]
  ],
  register: [...OF_A_MODULE, ...OF_A_FACTORY]
}
