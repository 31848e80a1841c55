// node packages/native/scripts/prebuild.mjs: compiles the addon for each line of Node.js that the tests know, for this
// platform, into prebuilds/, which goes into the tarball. To be run before it is packed, on the oldest system that the
// binaries shall run on: they need its C library or a newer one. Where one does not load, install.mjs compiles.

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EnsureError, runScript } from '../../../scripts/ensure.mjs'
import { fetchNode, lines } from '../../../scripts/node-versions.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const compile = `
  import { binaryName, compile } from './install.mjs'
  compile(\`prebuilds/\${binaryName()}\`)
  console.log(\`\${process.version}: prebuilds/\${binaryName()}\`)`

await runScript(() => {
  if (process.platform !== 'linux') throw new EnsureError('There is nothing to compile on this platform.')
  mkdirSync(join(root, 'prebuilds'), { recursive: true })
  for (const line of lines) {
    // The names and the headers are those of the Node.js that runs.
    const { status } = spawnSync(fetchNode(line, false), ['--input-type=module', '--eval', compile], {
      cwd: root,
      stdio: 'inherit'
    })
    if (status !== 0) throw new EnsureError(`The addon could not be compiled for Node.js ${line}.`)
  }
})
