// The lists of docs/lifecycle.md are those of the code, both ways.

import t from 'tap'
import { code, read, tableOf } from './markdown.js'

const documented = (heading: string) => tableOf('docs/lifecycle.md', heading).map(([name]) => code(name))

/** The quoted names in a declaration of the core's source. */
function declared(file: string, declaration: RegExp, name = /'([^']+)'/g): string[] {
  const [text] = declaration.exec(read(`packages/core/src/${file}`)) ?? []
  if (text === undefined) throw new Error(`${file} has no ${declaration}`)
  return [...text.matchAll(name)].map(([, found]) => found as string)
}

t.test('states', async (t) => {
  t.strictSame(documented('States'), declared('cluster/states.ts', /^export type State = .*$/m))
})

t.test('events', async (t) => {
  const events = declared('cluster.ts', /^export interface ClusterEvents \{.*?^\}/ms, /^ {2}'?([a-z:]+)'?: \[/gm)
  t.strictSame(documented('Events'), events)
})

t.test('the members of a Cluster', async (t) => {
  const members = declared('cluster.ts', /^export interface Cluster extends.*?^\}/ms, /^ {2}(?:readonly )?(\w+)[(:]/gm)
  t.strictSame(
    documented('The `Cluster`').map((name) => name.replace(/\(.*/, '')),
    members
  )
})

t.test('reasons, and which of them are failures', async (t) => {
  const rows = tableOf('docs/lifecycle.md', 'Why a process ended')
  const reasons = declared('cluster/roster.ts', /^export type EndReason =.*?\n\n/ms)
  const failures = declared('cluster/roster.ts', /^const FAILURES[^(]*\(\[.*?\]\)/ms).filter((it) => it !== 'EndReason')
  t.strictSame(rows.map(([reason]) => code(reason)).sort(), reasons.sort())
  t.strictSame(rows.flatMap(([reason, , failed]) => (failed === 'yes' ? [code(reason)] : [])).sort(), failures.sort())
})

t.test('the phases in which a reload can fail', async (t) => {
  t.strictSame(documented('Reload'), declared('cluster/plan.ts', /^export type FailedPhase = .*$/m))
})

t.test('signals', async (t) => {
  const handled = declared(
    'supervisor/signals.ts',
    /^export function installSignals.*?^\}/ms,
    /(?:^ +|handlers\.)(SIG[A-Z0-9]+)(?::| =)/gm
  )
  t.strictSame(documented('Signals').sort(), handled.sort())
})
