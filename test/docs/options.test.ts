// docs/options.md has every option and every flag, with its default and whether a reload can change it, and no other.

import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { normaliseOptions } from '@mapache/core/adapter'
import t from 'tap'
import { CLI, ROOT } from '../support/fixture.js'
import { code, tableOf } from './markdown.js'

const rows = tableOf('docs/options.md', 'Options')

t.test('the options', async (t) => {
  const { backoff, refork, ...settings } = normaliseOptions(undefined)
  const nested = { 'backoff.min': backoff.min, 'backoff.max': backoff.max, 'refork.after': refork.after }
  const defaults: Record<string, unknown> = { ...settings, ...nested }
  t.strictSame(rows.map(([name]) => code(name)).sort(), Object.keys(defaults).sort(), 'names')
  t.equal(defaults.workers, availableParallelism())
  for (const [name, shown = ''] of rows) {
    const value = defaults[code(name)]
    if (shown === 'see below') continue
    else if (shown === 'none') t.equal(value, undefined, `${name} has no default`)
    else if (code(name) === 'workers') t.equal(code(shown), "'auto'")
    else t.equal(code(shown).replaceAll("'", '"'), JSON.stringify(value), `the default of ${name}`)
  }
})

t.test('what a reload can change', async (t) => {
  const { CHANGEABLE } = (await import(path.join(ROOT, 'packages/core/dist/options.js'))) as {
    CHANGEABLE: readonly string[]
  }
  const documented = rows.flatMap(([name, , reload]) => (reload === 'yes' ? [code(name).split('.')[0]] : []))
  t.strictSame([...new Set(documented)].sort(), [...CHANGEABLE].sort())
  t.ok(rows.every(([, , reload]) => reload === 'yes' || reload === 'no'))
})

t.test('the flags of the command', async (t) => {
  const help = execFileSync(process.execPath, [CLI, '--help'], { encoding: 'utf8', timeout: 30_000 })
  const [own = '', dev = ''] = help.split('Options of dev:')
  const flagsOf = (text: string) =>
    [...text.matchAll(/^ +(?:-\w, +)?(--[a-z-]+)[[ ]/gm)].map(([, flag]) => flag as string)
  const flags = flagsOf(own)
  const documented = tableOf('docs/options.md', 'The command').map(([flag]) => code(flag))
  const general = ['--help', '--version']
  t.strictSame(documented.sort(), flags.filter((flag) => !general.includes(flag)).sort())
  const ofDev = tableOf('docs/dev.md', 'Options').map(([flag]) => code(flag).replace(/[[ ].*/, ''))
  const shared = ['--env-file', '--name', '--log-level']
  const named = new Set([...flagsOf(dev).filter((flag) => !general.includes(flag)), ...shared])
  t.strictSame(ofDev.sort(), [...named].sort())
})
