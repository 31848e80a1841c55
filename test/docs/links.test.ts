// Every link between the pages leads somewhere, and every page and example is linked from README.md.

import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { ROOT } from '../support/fixture.js'
import { anchorsOf, linksOf, list, PAGES } from './markdown.js'

const examples = list('examples').map((folder) => `${folder}/README.md`)

for (const page of [...PAGES, ...examples, 'CHANGELOG.md']) {
  t.test(page, async (t) => {
    for (const link of linksOf(page)) {
      if (/^https?:/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? page : path.join(path.dirname(page), file)
      t.ok(existsSync(path.join(ROOT, target)), `${link} is there`)
      if (anchor !== undefined) t.ok(anchorsOf(target).includes(anchor), `${target} has #${anchor}`)
    }
  })
}

t.test('README.md links to every page and every example', async (t) => {
  const linked = linksOf('README.md').map((link) => link.split('#')[0])
  const pages = list('docs').filter((name) => name.endsWith('.md'))
  t.strictSame(
    [...pages, ...list('examples')].filter((target) => !linked.includes(target)),
    []
  )
})
