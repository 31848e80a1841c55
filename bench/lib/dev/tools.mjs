import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installed, script } from './app.mjs'

const command = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url))
const own = (name) => fileURLToPath(new URL(`../../servers/dev/${name}.mjs`, import.meta.url))

export const STRATEGIES = ['fork', 'standby', 'restart']

/** What Mapache is compared with, and has to be faster than. */
export const OTHERS = ['node --watch', 'nodemon', 'tsx watch']

/**
 * The tools, each with the arguments of Node. `solo`: it is asked only after the save, one request at a time; `never`: it does
 * not reload.
 * @param {'js' | 'ts'} language
 * @param {string} entry of the app
 * @param {string} node the Node that runs them
 */
export function tools(language, entry, node) {
  const strips = stripsTypes(node)
  const all = [
    { name: 'no reloader', args: [entry], never: true, js: true },
    { name: 'cache-busting import', args: [own('import'), entry], js: true },
    { name: '@fastify/restartable', args: [own('restartable'), entry], js: true },
    { name: 'restart per request', args: [own('per-request'), entry], js: true, solo: true },
    { name: 'node --watch', args: ['--watch', '--watch-preserve-output', entry], strips: true },
    { name: 'nodemon', args: [script('nodemon/bin/nodemon.js'), entry], js: true },
    { name: 'tsx watch', args: [script('tsx/dist/cli.mjs'), 'watch', '--clear-screen=false', entry] },
    ...STRATEGIES.map((strategy) => ({
      name: `mapache ${strategy}`,
      args: [command, 'dev', '--strategy', strategy, entry],
      strategy
    }))
  ]
  if (language === 'js') return all
  return all.filter((tool) => !tool.js && (strips || !tool.strips))
}

/** Why `mapache dev` cannot be measured; undefined if it can. */
export function mapacheMissing(node) {
  if (!existsSync(command)) return 'packages/cli/dist/main.js is missing: npm run build'
  const { status, stderr } = spawnSync(node, [command, 'dev', '--help'], { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) return stderr.trim().split('\n')[0] || `mapache dev --help ended with ${status}`
  return undefined
}

/** Whether this Node runs TypeScript by itself, with nothing asked for. */
export function stripsTypes(node) {
  return run(node, 'String(process.features.typescript)') === 'strip'
}

export function nodeVersion(node) {
  return run(node, 'process.version')
}

/** The header of a run. */
export function showTools() {
  return ['nodemon', 'tsx', '@fastify/restartable'].map((name) => `${name} ${installed(name)}`).join(', ')
}

function run(node, expression) {
  const { stdout, error } = spawnSync(node, ['-p', expression], { encoding: 'utf8', timeout: 20_000 })
  if (error) throw error
  return stdout.trim()
}
