// Turns tap's output into a short report: a line for each test file, and for each failure where and why.

import { Parser } from 'tap-parser'

/** A writable to pipe TAP into. It adds up `counts` and has a promise `complete`. `files` is what should be run. */
export function createReport(counts, files) {
  const parser = new Parser()
  const unreported = new Set(files)
  parser.complete = new Promise((done) => parser.on('complete', done)).then((results) => {
    if (results.bailout) fail([], { name: `Bail out! ${results.bailout === true ? '' : results.bailout}` })
    // What belongs to no file; that files are missing is said of each, below.
    const loose = results.failures.filter(({ tapError }) => tapError && !/plan|number of tests/.test(tapError))
    for (const failure of loose) fail([], { name: failure.tapError })
    for (const name of unreported) fail([], { name, diag: { message: 'The file was not run, or not to its end.' } })
  })
  watch(parser, [])
  return parser

  function watch(level, path) {
    let child = null
    level.on('child', (parser) => {
      child = { parser, before: { ...counts }, begun: performance.now() }
      watch(parser, [...path, parser.name])
    })
    level.on('assert', (result) => {
      const own = child
      child = null
      if (own === null) return countAssertion(result, path)
      const failedInside = counts.failed - own.before.failed
      const failedByEnd = !result.ok && failedInside === 0 && !result.todo && !result.skip
      if (failedByEnd) fail(path, { ...result, why: own.parser.results?.failures })
      // Nothing was asserted and nobody said why: the file has lost its tests.
      if (path.length === 0 && result.skip === 'no tests found') fail(path, { name: result.name, diag: noTests })
      if (path.length === 0) printFile(result, own)
    })
  }

  function countAssertion(result, path) {
    if (result.skip || result.todo) return
    if (result.ok) counts.passed++
    else fail(path, result)
  }

  function fail(path, { name, diag, why }) {
    counts.failed++
    console.log(`\nFAIL  ${[...path.map(shortName), shortName(name)].join(' > ')}`)
    const lines = [...(why ?? []).flatMap(({ tapError }) => tapError ?? []), ...describe(diag)]
    if (lines.length > 0) console.log(indent(lines.join('\n')))
  }

  function printFile(result, { before, begun }) {
    unreported.delete(result.name)
    const failed = counts.failed - before.failed
    const counted = [
      `${counts.passed - before.passed} passed`,
      failed > 0 && `${failed} failed`,
      failed === 0 && skipped(result)
    ]
    const time = result.time ?? performance.now() - begun
    console.log(
      `${failed > 0 ? 'FAIL' : 'ok  '}  ${shortName(result.name).padEnd(44)} ${counted.filter(Boolean).join(', ')}` +
        `  ${time < 1000 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`}`
    )
  }
}

/** The parts of tap's diagnostics that help: not the command line that it used, nor its own frames. */
function describe(given) {
  const { message, error, diff, found, wanted, at, stack, source, exitCode, signal, reason, expired } = given ?? {}
  return [
    message,
    error,
    reason,
    exitCode && `exit code ${exitCode}`,
    signal && `ended by ${signal}`,
    expired && `timed out: ${expired}`,
    diff,
    diff === undefined && wanted !== undefined && `wanted: ${show(wanted)}`,
    diff === undefined && found !== undefined && `found:  ${show(found)}`,
    stack ?? (at && `${at.fileName}:${at.lineNumber}:${at.columnNumber}`),
    source
  ]
    .filter(Boolean)
    .map((text) => String(text).trimEnd())
}

const noTests = { message: 'The file contains no test.' }
const skipped = ({ skip }) => (typeof skip === 'string' ? `skipped: ${skip}` : skip && 'skipped')
const show = (value) => (typeof value === 'string' ? value : JSON.stringify(value))
const shortName = (name) => name.replace(/^test\/dist\//, 'test/')
const indent = (text) => text.replace(/^/gm, '      ')
