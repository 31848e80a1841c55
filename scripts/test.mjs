// npm test [-- <file, folder or part of a path> … --<option of tap>]: installs, builds (which type-checks), runs the
// tests with tap, and prints the count as the last line. The exit code is 0 only if at least one assertion ran and none
// failed.

import { spawn } from 'node:child_process'
import { join, relative, resolve } from 'node:path'
import { EnsureError, ensureBuilt, ensureInstalled, ensureNative, filesBelow, root, runScript } from './ensure.mjs'

const counts = { passed: 0, failed: 0 }
let begun = false

await runScript(async () => {
  ensureInstalled()
  ensureBuilt()
  await ensureNative()
  const args = process.argv.slice(2)
  const files = selectFiles(args.filter((arg) => !arg.startsWith('-')))
  begun = true
  await runTap(
    files,
    args.filter((arg) => arg.startsWith('-'))
  )
})

if (counts.failed === 0 && (counts.passed === 0 || process.exitCode)) counts.failed = 1
if (counts.failed > 0) process.exitCode = 1
// What is counted are assertions, as tap does; skipped and todo ones are neither passed nor failed. A test file that
// failed by its end alone (exit code, signal, timeout, plan), the build, and a crash of tap count as one failed each.
console.log(`${begun ? '\n' : ''}${counts.passed} passed, ${counts.failed} failed`)

/** The compiled test files that the arguments select: sources, outputs, folders, or any part of a path. */
function selectFiles(wanted) {
  const all = filesBelow(join(root, 'test', 'dist'), (name) => name.endsWith('.test.js')).map((path) =>
    relative(root, path).replaceAll('\\', '/')
  )
  if (all.length === 0) throw new EnsureError('There is no test file in test/.')
  const selected = wanted.map((arg) => {
    const path = relative(root, resolve(arg)).replaceAll('\\', '/')
    const output = path.replace(/^test\/(?!dist\/)/, 'test/dist/').replace(/\.ts$/, '.js')
    const exact = all.filter((file) => file === output || file.startsWith(`${output}/`))
    const found = exact.length > 0 ? exact : all.filter((file) => file.replace('/dist/', '/').includes(arg))
    if (found.length === 0) throw new EnsureError(`No test file fits ${arg}.`)
    return found
  })
  return wanted.length === 0 ? all : [...new Set(selected.flat())].sort()
}

/** Runs tap, reads the TAP that it writes, reports it, and leaves what it counted in `counts`. */
async function runTap(files, options) {
  // Only now: a fresh clone has this dependency since the line before.
  const { createReport } = await import('./report.mjs')
  const report = createReport(counts, files)
  const tap = join(root, 'node_modules', 'tap', 'dist', 'esm', 'run.mjs')
  const child = spawn(process.execPath, [tap, 'run', ...options, '--reporter=tap', ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: cleanEnvironment()
  })
  // A terminal sends SIGINT to tap too; tap ends its tests and tells how they ended.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  child.stdout.pipe(report)
  const [code, signal] = await new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (...end) => done(end))
  })
  await report.complete
  if (code === 0) return
  if (counts.failed === 0) console.log(`\ntap ended with ${signal ?? `code ${code}`}.`)
  process.exitCode = 1
}

/** Our own environment without what npm and a surrounding tap put there: a test must not depend on how it is run. */
function cleanEnvironment() {
  const entries = Object.entries(process.env).filter(([name]) => !/^(npm_|TAP|_TAPJS_|NODE_OPTIONS$)/.test(name))
  return Object.fromEntries(entries)
}
