import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../../dev-app', import.meta.url))
const copies = path.join(home, 'copies')

/** Installs what the app and the tools next to Mapache depend on, once. It is no part of the workspace. */
export function installDevApp(print) {
  if (!existsSync(path.join(home, 'node_modules/tsx'))) {
    print('installing the app of bench/dev-app …')
    const args = ['install', '--no-audit', '--no-fund', '--no-package-lock']
    const { status, stderr } = spawnSync('npm', args, { cwd: home, encoding: 'utf8', timeout: 300_000 })
    if (status !== 0) throw new Error(`npm install in bench/dev-app failed:\n${stderr}`)
  }
}

/** The version of a package that the app has installed. */
export function installed(name) {
  return JSON.parse(readFileSync(path.join(home, 'node_modules', name, 'package.json'), 'utf8')).version
}

/** A script of a tool that the app has installed. */
export function script(file) {
  return path.join(home, 'node_modules', file)
}

/**
 * A copy of the app that may be edited, beside the dependencies.
 * @param {string} name of its folder
 * @param {'js' | 'ts'} language JavaScript is what the types leave when they are taken off
 */
export function copyApp(name, language) {
  const folder = path.join(copies, `${process.pid}`, `${name}-${language}`.replaceAll(/[^\w-]+/g, '-'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(path.join(home, 'package.json'), path.join(folder, 'package.json'))
  const extension = language === 'ts' ? '.ts' : '.mjs'
  for (const file of readdirSync(path.join(home, 'app'), { recursive: true })) {
    if (!file.endsWith('.ts')) continue
    const text = readFileSync(path.join(home, 'app', file), 'utf8')
    const target = path.join(folder, file.replace(/\.ts$/, extension))
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, language === 'ts' ? text : withoutTypes(text))
  }
  const route = path.join(folder, `routes/version${extension}`)
  const original = readFileSync(route, 'utf8')
  return {
    folder,
    entry: `server${extension}`,
    /** Saves the route with another version; it is written when this returns. */
    edit: (version) => writeFileSync(route, original.replace(/(['"])v0\1/, `$1${version}$1`))
  }
}

/** Removes the copies of this run. */
export function removeCopies() {
  rmSync(path.join(copies, `${process.pid}`), { recursive: true, force: true })
  // Another run may have its copies there.
  if (existsSync(copies) && readdirSync(copies).length === 0) rmSync(copies, { recursive: true })
}

function withoutTypes(text) {
  const { code } = esbuild().transformSync(text, { loader: 'ts', format: 'esm', target: 'node20' })
  return code.replaceAll(/(from ["']\.[^"']*)\.ts(["'])/g, '$1.mjs$2')
}

let compiler
function esbuild() {
  // The one that tsx uses.
  compiler ??= createRequire(script('tsx/package.json'))('esbuild')
  return compiler
}
