// npm run test:matrix [-- 22 24] [-- --smoke] [-- --update]: runs the tests with other versions of Node.js, the latest of
// each line. They are fetched from npm once, into .node-versions/; --update looks for newer ones. --smoke runs the unit
// tests and test/process/smoke*. Other arguments go to scripts/test.mjs.

import { spawn, spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { EnsureError, ensureBuilt, ensureInstalled, root, runScript } from './ensure.mjs'
import { fetchNode, lines } from './node-versions.mjs'

const smoke = ['test/unit', 'test/process/smoke']
const sum = { passed: 0, failed: 0 }

await runScript(async () => {
  ensureInstalled()
  ensureBuilt()
  const args = process.argv.slice(2)
  const chosen = args.filter((arg) => /^\d+$/.test(arg))
  const rest = args.filter((arg) => !/^\d+$/.test(arg) && arg !== '--smoke' && arg !== '--update')
  const results = []
  for (const line of chosen.length > 0 ? chosen : lines) {
    results.push(await testWith(line, args.includes('--smoke') ? [...smoke, ...rest] : rest, args.includes('--update')))
  }
  console.log()
  for (const { name, passed, failed } of results) {
    console.log(`${name.padEnd(16)} ${passed} passed, ${failed} failed`)
    sum.passed += passed
    sum.failed += failed
  }
})

if (sum.failed === 0 && (sum.passed === 0 || process.exitCode)) sum.failed = 1
if (sum.failed > 0) process.exitCode = 1
console.log(`\n${sum.passed} passed, ${sum.failed} failed`)

/** Runs the tests with one version; a version that cannot be had counts as one failed. */
async function testWith(line, args, update) {
  let node
  try {
    node = fetchNode(line, update)
  } catch (error) {
    if (!(error instanceof EnsureError)) throw error
    console.log(error.message)
    return { name: `Node.js ${line}`, passed: 0, failed: 1 }
  }
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  console.log(`\nNode.js ${version}`)
  return { name: `Node.js ${version}`, ...(await runTests(node, args)) }
}

/**
 * Shows the output of scripts/test.mjs, which also compiles the native addon for its Node.js if that is not there, and
 * reads the count off its last line.
 */
async function runTests(node, args) {
  const child = spawn(node, [join(root, 'scripts', 'test.mjs'), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Tests start process.execPath; what a script finds by the name "node" should be the same.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }
  })
  const stop = (signal) => child.kill(signal)
  process.on('SIGTERM', stop)
  let tail = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text)
    tail = (tail + text).slice(-200)
  })
  const code = await new Promise((done) => child.on('close', done))
  process.off('SIGTERM', stop)
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(tail) ?? [null, 0, 1]
  return { passed: Number(passed), failed: Number(failed) || (code === 0 ? 0 : 1) }
}
