// Every fenced block of the pages is used as a reader would use it, in the order of its page:
//
//   js              is started as a server, asked, and stopped
//   js file=NAME    is written under that name, for the blocks after it; with `start` it is started, too
//   sh              is run, with $PID of the server that the page started last
//   sh start        is `npx mapache start …` or `node …`, started as a server
//   ts json yaml    is type-checked, or parsed
//   … no-run: WHY   is not; the test prints the list
//
// `prints=` and `answers=` are patterns for what the server must come to print, and to answer, with . for a space. The port
// 3000 is another one here, so that the pages can be read and the tests run side by side.

import path from 'node:path'
import t from 'tap'
import { blocksOf, PAGES, read } from './markdown.js'
import { Reader } from './reader.js'

for (const page of PAGES) {
  const blocks = blocksOf(page)
  if (blocks.length > 0) t.test(page, (t) => new Reader(t).use(blocks))
}

t.test('blocks that are not run say why', async (t) => {
  const blocks = PAGES.flatMap(blocksOf).filter(({ reason }) => reason !== undefined)
  console.error('Blocks that are not run:')
  for (const { at, language, reason } of blocks) {
    console.error(`  ${at} ${language}: ${reason}`)
    t.ok(reason, at)
  }
})

t.test('the module that docs/modules.md goes through is the example', async (t) => {
  const files = blocksOf('docs/modules.md').filter(({ words }) => words.file?.startsWith('counter/'))
  t.equal(files.length, 3)
  for (const { words, text } of files) t.equal(text, read(`examples/module/${path.basename(words.file ?? '')}`))
})
