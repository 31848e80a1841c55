// docs/options.md has every option, with its default and whether a reload can change it, and no other.

import path from 'node:path'
import { normaliseOptions } from '@mapache/core/adapter'
import t from 'tap'
import { parallelism } from '#core/supervisor/limits.js'
import { ROOT } from '../support/fixture.js'
import { code, tableOf } from './markdown.js'

const rows = tableOf('docs/options.md', 'Options')

t.test('the options', async (t) => {
  const { backoff, refork, ...settings } = normaliseOptions(undefined)
  const nested = { 'backoff.min': backoff.min, 'backoff.max': backoff.max, 'refork.after': refork.after }
  const defaults: Record<string, unknown> = { ...settings, ...nested }
  t.strictSame(rows.map(([name]) => code(name)).sort(), Object.keys(defaults).sort(), 'names')
  t.equal(defaults.workers, parallelism())
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
