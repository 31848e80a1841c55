// What is published is not what the other tests ran: here each package is packed, and the tarballs are judged by
// publint and attw, put into an empty project with the dependencies that they declare and no other, and used there.

import { type ExecFileException, execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { supported } from '#native'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const version = '0.1.0'
const packages = [
  { folder: 'core', name: '@mapache/core', entries: ['.', './worker', './adapter', './operator'] },
  { folder: 'fastify', name: '@mapache/fastify', entries: ['.'] },
  { folder: 'express', name: '@mapache/express', entries: ['.'] },
  { folder: 'native', name: '@mapache/native', entries: ['.'], files: ['binding.gyp', 'install.mjs', 'src'] },
  { folder: 'dev', name: '@mapache/dev', entries: ['.'] },
  { folder: 'shell', name: '@mapache/shell', entries: ['.', './client', './credential'] },
  { folder: 'metrics', name: '@mapache/metrics', entries: ['.'] },
  { folder: 'cli', name: 'mapache', entries: [] }
]

/** Programs that use the packages: `import` and `require`, and each with types. */
const uses = {
  'use.mjs': `
    import { mapacheHttp } from '@mapache/core'
    import * as worker from '@mapache/core/worker'
    import * as adapter from '@mapache/core/adapter'
    import mapache, { mapacheFastify } from '@mapache/fastify'
    import { mapacheExpress } from '@mapache/express'
    console.log([mapacheHttp, worker.worker, adapter, mapache, mapacheFastify, mapacheExpress].map((it) => typeof it).join())`,
  'use.cjs': `
    const { mapacheHttp } = require('@mapache/core')
    const worker = require('@mapache/core/worker')
    const adapter = require('@mapache/core/adapter')
    const { default: mapache, mapacheFastify } = require('@mapache/fastify')
    const { mapacheExpress } = require('@mapache/express')
    console.log([mapacheHttp, worker.worker, adapter, mapache, mapacheFastify, mapacheExpress].map((it) => typeof it).join())`,
  'use.mts': `
    import { mapacheHttp } from '@mapache/core'
    import { worker } from '@mapache/core/worker'
    import * as adapter from '@mapache/core/adapter'
    import mapache, { mapacheFastify } from '@mapache/fastify'
    import { mapacheExpress } from '@mapache/express'
    export const used: object[] = [mapacheHttp, worker, adapter, mapache, mapacheFastify, mapacheExpress]`,
  'use.cts': `
    import { mapacheHttp } from '@mapache/core'
    import { worker } from '@mapache/core/worker'
    import * as adapter from '@mapache/core/adapter'
    import mapache, { mapacheFastify } from '@mapache/fastify'
    import { mapacheExpress } from '@mapache/express'
    export const used: object[] = [mapacheHttp, worker, adapter, mapache, mapacheFastify, mapacheExpress]`
}

t.test('the packages as they are published', async (t) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'mapache-packages-')))
  t.teardown(() => (t.passing() ? rm(folder, { recursive: true }) : t.comment(`kept: ${folder}`)))
  const project = join(folder, 'project')

  for (const { folder: source, name, entries, files = [] } of packages) {
    await t.test(name, async (t) => {
      const tarball = await pack(source, folder)
      const installed = join(project, 'node_modules', name)
      await mkdir(installed, { recursive: true })
      await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])

      const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'))
      t.equal(manifest.version, version)
      t.notMatch(JSON.stringify(manifest), 'workspace:', 'depends on versions, not on the workspace')
      t.strictSame(Object.keys(manifest.exports), [...entries, './package.json'])
      const packed = (await readdir(installed)).filter((file) => file !== 'prebuilds')
      t.strictSame(packed.sort(), ['LICENSE', 'README.md', 'dist', 'package.json', ...files].sort())
      await link(manifest.dependencies, join(root, 'packages', source), installed)
      await link(manifest.peerDependencies, join(root, 'packages', source), project)

      t.equal(await faults(tool('publint', ['run', tarball, '--strict'])), '', 'publint')
      // CommonJS users reach ES modules by require() on each Node.js that we support, which attw does not assume.
      if (entries.length > 0) {
        t.equal(
          await faults(tool('@arethetypeswrong/cli', [tarball, '--profile', 'esm-only', '--no-color'])),
          '',
          'attw'
        )
      }
    })
  }

  await t.test('in an empty project', async (t) => {
    await link({ '@types/node': '', '@types/express': '' }, root, project)
    await writeFile(join(project, 'package.json'), '{ "private": true }')
    for (const [name, text] of Object.entries(uses)) await writeFile(join(project, name), text.replace(/^ {4}/gm, ''))

    const kinds = 'function,object,object,function,function,function\n'
    t.equal(await run(process.execPath, ['use.mjs'], project), kinds, 'import')
    t.equal(await run(process.execPath, ['--no-warnings', 'use.cjs'], project), kinds, 'require')
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--skipLibCheck',
      '--types',
      'node'
    ]
    t.equal(await faults(tool('typescript', [...options, 'use.mts', 'use.cts'], project, 'tsc')), '', 'types')

    const native = join(project, 'node_modules', '@mapache', 'native')
    const ask = ['--eval', `import('@mapache/native').then((it) => console.log(JSON.stringify(it.supported())))`]
    const said = await run(process.execPath, ['install.mjs'], native)
    if (supported().ok) t.equal(said, '', 'its install script says nothing if all is well')
    t.equal(JSON.parse(await run(process.execPath, ask, project)).ok, supported().ok, 'compiled where it was installed')

    const main = join(project, 'node_modules', 'mapache', 'dist', 'main.js')
    t.match(await readFile(main, 'utf8'), /^#!\/usr\/bin\/env node\n/)
    t.match(await run(process.execPath, [main, '--version'], project), version)
  })
})

/** pnpm packs as it publishes: with versions in place of workspace:*, and the LICENSE. Returns the tarball's path. */
async function pack(source: string, destination: string): Promise<string> {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const args = ['exec', '--yes', '--prefer-offline', '--', packageManager, 'pack', '--json']
  const output = await run('npm', [...args, '--pack-destination', destination], join(root, 'packages', source))
  return JSON.parse(output).filename
}

/** Makes the named dependencies of `from` available to `to`; ours are those from the tarballs. */
async function link(names: Record<string, string> | undefined, from: string, to: string): Promise<void> {
  for (const name of Object.keys(names ?? {})) {
    if (packages.some((it) => it.name === name)) continue
    const place = join(to, 'node_modules', name)
    await mkdir(dirname(place), { recursive: true })
    await symlink(await realpath(join(from, 'node_modules', name)), place)
  }
}

/** Runs the command of a package of the workspace. */
async function tool(name: string, args: string[], cwd = root, command?: string): Promise<string> {
  const folder = join(root, 'node_modules', name)
  const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const file = typeof bin === 'string' ? bin : bin[command ?? Object.keys(bin)[0] ?? '']
  return run(process.execPath, [join(folder, file), ...args], cwd)
}

/** Nothing if it went well, else what the program said. */
async function faults(running: Promise<string>): Promise<string> {
  return running.then(
    () => '',
    (error: Error) => error.message
  )
}

function run(file: string, args: string[], cwd = root): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { cwd, timeout: 60_000, maxBuffer: 1 << 24 },
      (error: ExecFileException | null, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${error.message}\n${stdout}\n${stderr}`))
      }
    )
  })
}
