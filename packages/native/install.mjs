// The "install" script of @mapache/native: makes sure that there is a binary of the addon for this Node.js, and compiles
// one if not. It never fails an installation: without the addon workers are spawned, not forked, and supported() says
// why. Nothing is printed unless there is something to do.

import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
// A clone may have changed the sources since it compiled what goes into the package.
const isPublished = !existsSync(join(root, 'tsconfig.json'))

/** Whether there is a binary that is newer than its sources, or one that came with the package. */
export function isInstalled() {
  return process.platform !== 'linux' || isNewer(binary()) || (isPublished && loads(prebuilt()))
}

/** Whether there was none to be had, with sources that are the same. To try again is for whoever installs. */
export function hasFailed() {
  return isNewer(`${binary()}.failed`)
}

/** Puts the binary where supported() looks for it. */
export function install() {
  mkdirSync(dirname(binary()), { recursive: true })
  try {
    compile(binary())
    rmSync(`${binary()}.failed`, { force: true })
  } catch (error) {
    rmSync(binary(), { force: true })
    const reason = `@mapache/native could not be compiled, so workers will be spawned and not forked: ${error.message}`
    writeFileSync(`${binary()}.failed`, `${reason}\n`)
    console.log(reason)
  }
}

/**
 * Compiles the addon for the Node.js that runs this.
 * @param target the file that it becomes, all at once: another process may be loading it, or compiling it too
 * @param defines variables of binding.gyp, for example ["mapache_without_pool=1"]
 */
export function compile(target, defines = []) {
  const folder = mkdtempSync(join(tmpdir(), 'mapache-native-'))
  try {
    for (const file of sources()) cpSync(file, join(folder, file.slice(root.length)))
    const nodedir = headers()
    const args = [
      findNodeGyp(),
      'rebuild',
      '--loglevel=error',
      '--jobs=2',
      ...(nodedir ? [`--nodedir=${nodedir}`] : []),
      '--',
      ...defines.map((it) => `-D${it}`)
    ]
    const { status, error, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: 'utf8',
      timeout: 300_000,
      // An older or newer Node.js than this one may be named there.
      env: { ...process.env, npm_config_nodedir: nodedir, npm_config_target: undefined },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    if (status !== 0) throw new Error(error?.message ?? summary(stdout + stderr))
    const fresh = `${target}.${process.pid}`
    copyFileSync(join(folder, 'build', 'Release', 'mapache.node'), fresh)
    renameSync(fresh, target)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The name of the binary for this Node.js. src/binding.ts looks for the same. */
export function binaryName() {
  return `node-${process.versions.modules}-linux-${process.arch}-${libc()}.node`
}

function libc() {
  return readFileSync('/proc/self/maps', 'latin1').includes('/ld-musl-') ? 'musl' : 'glibc'
}

function binary() {
  return join(root, 'binaries', binaryName())
}

function prebuilt() {
  return join(root, 'prebuilds', binaryName())
}

function isNewer(file) {
  const time = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return sources().every((source) => statSync(source).mtimeMs <= time)
}

function loads(file) {
  try {
    createRequire(import.meta.url)(file)
    return true
  } catch {
    return false
  }
}

function sources() {
  const files = readdirSync(join(root, 'src')).filter((name) => /\.(cc|h)$/.test(name))
  return [join(root, 'binding.gyp'), ...files.map((name) => join(root, 'src', name))]
}

/**
 * Where the headers of this very Node.js are, so that nothing has to be fetched: beside it, as its archives and packages
 * have them, or where npm's configuration says. Undefined: node-gyp fetches them.
 */
function headers() {
  const besides = dirname(dirname(realpathSync(process.execPath)))
  return [besides, process.env.npm_config_nodedir].find((folder) => folder && headerVersion(folder) === process.version)
}

function headerVersion(folder) {
  try {
    const text = readFileSync(join(folder, 'include', 'node', 'node_version.h'), 'utf8')
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1]
    return `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`
  } catch {
    return undefined
  }
}

/** npm and pnpm name theirs to the scripts that they run; else it is the one inside the npm of this Node.js, or of PATH. */
function findNodeGyp() {
  const inside = join('node_modules', 'node-gyp', 'bin', 'node-gyp.js')
  const npms = process.env.PATH.split(delimiter).flatMap((folder) => {
    const npm = join(folder, 'npm')
    return existsSync(npm) ? [dirname(dirname(realpathSync(npm)))] : []
  })
  const own = join(dirname(dirname(realpathSync(process.execPath))), 'lib', 'node_modules', 'npm')
  const files = [process.env.npm_config_node_gyp, ...[own, ...npms].map((folder) => join(folder, inside))]
  const found = files.find((file) => file && existsSync(file))
  if (found) return found
  throw new Error('node-gyp was not found; it comes with npm')
}

/** The line of a long output that says most. */
function summary(output) {
  const lines = output.split('\n').map((line) => line.trim())
  const telling =
    lines.find((line) => /error: |fatal error|not found|No such file|ERR! stack Error/.test(line)) ?? lines.at(-1)
  return telling.replace(/^gyp ERR! (stack )?/, '').replace(/^Error: /, '') || 'node-gyp failed'
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url) && !isInstalled()) install()
