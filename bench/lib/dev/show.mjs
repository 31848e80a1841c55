import { fixed, ratios, showSpread, spread } from '../stats.mjs'
import { table } from '../table.mjs'
import { OTHERS, STRATEGIES } from './tools.mjs'

const LIMITS = { fork: 8, standby: 4 }

/** The times of the edits, and how many times faster each strategy is than each other tool, turn by turn. */
export function showEdits(language, rows, print) {
  if (rows.length === 0) return print(`\ndev: ${language}: no column`)
  print(`\ndev: ${language}, ${rows[0].times.length} edits each in turns, save to first new answer, ms`)
  print(
    table(
      ['', 'median', 'slowest', ...COUNTED],
      rows.map(({ name, times, counts }) => [
        name,
        fixed(spread(times).median),
        fixed(spread(times).max),
        ...figures(counts)
      ])
    )
  )
  const found = {}
  for (const strategy of STRATEGIES) {
    const mine = rows.find(({ name }) => name === `mapache ${strategy}`)
    for (const other of rows.filter(({ name }) => OTHERS.includes(name))) {
      if (mine === undefined) continue
      const times = spread(other.times).median / spread(mine.times).median
      found[strategy] = { ...found[strategy], [other.name]: { medians: times, turns: ratios(other.times, mine.times) } }
      const limit = limitOf(strategy, other.name, language)
      const turns = showSpread(found[strategy][other.name].turns, 1)
      print(`  ${strategy} is ${fixed(times, 1)} × faster than ${other.name}${limit}; turn by turn ${turns}`)
    }
  }
  return found
}

/** TypeScript is held against the one tool that is made for it. */
function limitOf(strategy, other, language) {
  const counts = language === 'JavaScript' || other === 'tsx watch'
  return counts && LIMITS[strategy] !== undefined ? `, limit ${LIMITS[strategy]}` : ''
}

/** Markdown: what a request costs with no change and with a changed file. */
export function showComparison(times, edits, print) {
  print('\ndev: a request, as the table of docs/dev.md\n')
  print('| | No change, ms | ÷ no reloader | With a changed file, ms | Refused for each edit |')
  print('| --- | ---: | ---: | ---: | ---: |')
  for (const { name, time, ratio } of times) {
    const changed = edits.find((row) => row.name === name)
    const [after, lost] = changed === undefined ? ['never', '–'] : whenChanged(changed)
    const shown = WORDS.includes(name) ? name : `\`${name}\``
    print(`| ${shown} | ${fixed(time, 3)} | ${fixed(ratio?.median, 2)} | ${after} | ${lost} |`)
  }
  for (const { name, ratio } of times.filter((row) => row.name.startsWith('mapache'))) {
    if (ratio !== undefined) print(`  ${name} ÷ no reloader, no change: ${showSpread(ratio, 3)}, limit 1.02`)
  }
}

function whenChanged({ times, counts: { refused, reset } }) {
  return [fixed(spread(times).median), fixed((refused + reset) / times.length)]
}

export function showStream(rows, print) {
  if (rows.length === 0) return print('\ndev: edits under a stream of requests: no column')
  print('\ndev: edits one soon after the other under requests on new and on kept connections, limits: 0 of each')
  print(
    table(
      ['', 'edits', 'median, ms', 'slowest, ms', 'no new answer', 'answers', ...COUNTED],
      rows.map(({ name, times, missed, counts }) => [
        name,
        times.length + missed,
        fixed(spread(times).median),
        fixed(spread(times).max),
        missed,
        fixed(counts.answered),
        ...figures(counts)
      ])
    )
  )
}

function figures({ refused, reset, failed, old, crossed }) {
  return [refused, reset, failed, old, crossed].map((count) => fixed(count))
}

// The rest of the names are commands and packages.
const WORDS = ['no reloader', 'cache-busting import', 'restart per request']

const COUNTED = ['refused', 'reset', 'failed', 'old after new', 'of these on their way']
