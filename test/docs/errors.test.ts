// docs/errors.md and the catalogue say the same, both ways.

import { CATALOGUE } from '@mapache/core'
import t from 'tap'
import { read } from './markdown.js'

t.test('docs/errors.md is the catalogue', async (t) => {
  const [, ...sections] = read('docs/errors.md').split(/^## /m)
  const documented = sections.map((section) => {
    const [, code = '', means = '', fix = ''] = /^(\w+)\n\n(.+)\n\n\*\*What to do\.\*\* (.+)\n/.exec(section) ?? []
    return [code, { means, fix }]
  })
  t.strictSame(Object.fromEntries(documented), CATALOGUE)
  t.strictSame(
    documented.map(([code]) => code),
    Object.keys(CATALOGUE),
    'in its order, each once'
  )
})
