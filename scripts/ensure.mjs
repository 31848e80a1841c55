// Makes a fresh clone runnable with nothing but Node.js and npm: installs the dependencies, builds, and compiles the
// native addon, each only when something changed. `node scripts/ensure.mjs [--install-only]`, or import the functions.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Something the person at the keyboard has to do; printed without a stack. */
export class EnsureError extends Error {}

/** Installs what pnpm-lock.yaml says, unless node_modules already is what it says. */
export function ensureInstalled() {
  requireNode()
  const print = installPrint()
  if (readStamp('install') === print && dependenciesPresent()) return
  const pnpm = readJson('package.json').packageManager
  say(`installing dependencies (${pnpm.replace('@', ' ')}) …`)
  // npm brings the pinned pnpm: a fresh machine has none, and another version could write another node_modules.
  const { status, error, stdout, stderr } = spawnSync(
    'npm',
    ['exec', '--yes', '--', pnpm, 'install', '--frozen-lockfile'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
      // CI=true: pnpm then never asks, for example before it replaces a node_modules that another tool made.
      env: { ...process.env, CI: 'true' }
    }
  )
  if (error || status !== 0) {
    throw new EnsureError(`${stdout ?? ''}${stderr ?? ''}\n${error?.message ?? ''}\n${installAdvice(stdout + stderr)}`)
  }
  writeStamp('install', print)
}

/** Type-checks and compiles the packages and the tests, unless nothing changed since the last time. */
export function ensureBuilt() {
  requireNode()
  const projects = findProjects()
  const outputs = projects.flatMap(checkOutputs)
  const print = buildPrint(projects)
  if (outputs.length === 0 && readStamp('build') === print) return
  say('building …')
  rmSync(stampPath('build'), { force: true })
  for (const { project, path, stale } of outputs) {
    // A test whose source is gone must not be run, and tsc -b does not write again what its record says is there.
    if (stale) rmSync(path, { force: true })
    else rmSync(project.record, { force: true })
  }
  const color = process.stdout.isTTY ? ['--pretty'] : []
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status, signal } = spawnSync(process.execPath, [tsc, '-b', ...color], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new EnsureError(`The build failed${signal ? ` (${signal})` : ''}: see the errors above.`)
  writeStamp('build', print)
}

/** Compiles the native addon for the Node.js that runs this, unless it is there, or has failed with the same sources. */
export async function ensureNative() {
  const { hasFailed, install, isInstalled } = await import('../packages/native/install.mjs')
  if (isInstalled() || hasFailed()) return
  say(`compiling the native addon for Node.js ${process.version} …`)
  install()
}

/** For scripts: runs `main` and turns what it throws into a message and an exit code. */
export async function runScript(main) {
  try {
    await main()
  } catch (error) {
    console.error(error instanceof EnsureError ? error.message.trim() : error)
    process.exitCode = 1
  }
}

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}

/** The files below a folder, as absolute paths; none if there is no such folder. */
export function filesBelow(folder, accept = () => true) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return filesBelow(path, accept)
      return accept(entry.name) ? [path] : []
    })
    .sort()
}

function requireNode() {
  const wanted = readJson('package.json').engines.node.replace('>=', '')
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor] = wanted.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new EnsureError(
    `Mapache needs Node.js ${wanted} or newer, and this is ${process.version}: install a newer one.`
  )
}

/** What an install depends on: the lockfile, pnpm's settings, and each manifest. */
function installPrint() {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]
  for (const file of files) hash.update(`\0${file}\0`).update(readIfThere(file))
  return hash.digest('hex')
}

/** Whether each direct dependency can be reached: node_modules may have been deleted or copied in part. */
function dependenciesPresent() {
  return manifests().every((file) => {
    const { dependencies, devDependencies } = readJson(file)
    const names = Object.keys({ ...dependencies, ...devDependencies })
    return names.every((name) => existsSync(join(root, dirname(file), 'node_modules', name, 'package.json')))
  })
}

function manifests() {
  const folders = ['packages', 'examples'].flatMap((parent) =>
    existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : []
  )
  return ['package.json', ...folders.sort().map((folder) => `${folder}/package.json`)].filter((file) =>
    existsSync(join(root, file))
  )
}

function installAdvice(output) {
  if (!/OUTDATED_LOCKFILE|FROZEN_LOCKFILE/.test(output)) return 'Installing the dependencies failed.'
  const { packageManager } = readJson('package.json')
  return `pnpm-lock.yaml does not fit a package.json: run "npm exec -- ${packageManager} install" and commit the lockfile.`
}

/** The projects that tsconfig.json refers to, with where each reads and writes. */
function findProjects() {
  return readJson('tsconfig.json').references.map(({ path }) => {
    const { compilerOptions: options, include } = readJson(`${path}/tsconfig.json`)
    const folder = resolve(root, path)
    return {
      folder,
      rootDir: resolve(folder, options.rootDir),
      outDir: resolve(folder, options.outDir),
      record: resolve(folder, options.tsBuildInfoFile),
      sources: include.flatMap((name) => filesBelow(join(folder, name), isSource))
    }
  })
}

/** What tsc -b would not put right by itself: outputs without a source, and sources without their output. */
function checkOutputs(project) {
  const expected = new Set(
    project.sources.map((source) =>
      join(project.outDir, relative(project.rootDir, source)).replace(/\.([mc]?)ts$/, '.$1js')
    )
  )
  const stale = filesBelow(project.outDir, isOutput)
    .filter((path) => !expected.has(path.replace(/\.map$/, '').replace(/\.d\.([mc]?)ts$/, '.$1js')))
    .map((path) => ({ project, path, stale: true }))
  const missing = [...expected].filter((path) => !existsSync(path)).map((path) => ({ project, path, stale: false }))
  return [...stale, ...missing]
}

/** Changes whenever a build could come out differently. */
function buildPrint(projects) {
  const inputs = [
    join(root, 'tsconfig.json'),
    join(root, 'tsconfig.base.json'),
    ...projects.flatMap(({ folder, sources }) => [
      join(folder, 'tsconfig.json'),
      join(folder, 'package.json'),
      ...sources
    ])
  ]
  const hash = createHash('sha256').update(readStamp('install'))
  for (const path of inputs) {
    const stat = statSync(path, { throwIfNoEntry: false })
    hash.update(`\0${relative(root, path)}\0${stat?.size}\0${stat?.mtimeMs}`)
  }
  return hash.digest('hex')
}

const isSource = (name) => /\.[mc]?ts$/.test(name) && !/\.d\.[mc]?ts$/.test(name)
const isOutput = (name) => /\.([mc]?js|d\.[mc]?ts)(\.map)?$/.test(name)

const stampPath = (name) => join(root, 'node_modules', `.mapache-${name}`)
const readStamp = (name) => readIfThere(relative(root, stampPath(name)))

function writeStamp(name, print) {
  mkdirSync(dirname(stampPath(name)), { recursive: true })
  writeFileSync(stampPath(name), print)
}

function readIfThere(path) {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : ''
}

function say(line) {
  console.log(line)
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    ensureInstalled()
    if (process.argv.includes('--install-only')) return
    ensureBuilt()
    await ensureNative()
  })
}
