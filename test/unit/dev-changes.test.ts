import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { classify, isCovered, type Known } from '#dev/watch/changes.js'
import { compileGlobs } from '#dev/watch/globs.js'
import { projectFolders } from '#dev/watch/projects.js'

const root = '/work/apps/shop'
const known = (more: Partial<Known> = {}, watch: string[] = []): Known => ({
  root,
  loaded: new Set([
    `${root}/server.js`,
    `${root}/data.json`,
    `${root}/node_modules/fastify/index.js`,
    '/work/lib/a.js'
  ]),
  globs: compileGlobs(watch, root),
  broken: false,
  outside: new Set(['/work/lib']),
  projects: new Set([root, '/work/apps', '/work']),
  ...more
})

t.test('what a change means while the app runs', async (t) => {
  const table: Record<string, string> = {
    'server.js': 'reload',
    'data.json': 'reload',
    '/work/lib/a.js': 'reload',
    '/work/lib/b.js': 'ignore',
    'other.js': 'ignore',
    'server.js~': 'ignore',
    '.env': 'ignore',
    'node_modules/fastify/index.js': 'dependencies',
    'node_modules/fastify/other.js': 'ignore',
    'node_modules/.package-lock.json': 'dependencies',
    'node_modules/.modules.yaml': 'dependencies',
    'node_modules/.yarn-state.yml': 'dependencies',
    'node_modules/fastify/.package-lock.json': 'ignore',
    'node_modules/fastify/package.json': 'ignore',
    '/work/node_modules/.modules.yaml': 'dependencies',
    '/node_modules/.modules.yaml': 'ignore',
    'package.json': 'dependencies',
    '/work/package.json': 'dependencies',
    '/work/apps/package.json': 'dependencies',
    '/package.json': 'ignore',
    'routes/package.json': 'ignore',
    'package-lock.json': 'dependencies',
    'npm-shrinkwrap.json': 'dependencies',
    '/work/pnpm-lock.yaml': 'dependencies',
    'yarn.lock': 'dependencies',
    'bun.lock': 'dependencies',
    '/work/other/yarn.lock': 'ignore'
  }
  for (const [file, meaning] of Object.entries(table))
    t.equal(classify(path.resolve(root, file), known()), meaning, file)
})

t.test('what a change means while the app is broken', async (t) => {
  const table: Record<string, string> = {
    'server.js': 'reload',
    'routes/deep/new.ts': 'reload',
    'a.mjs': 'reload',
    'a.cjs': 'reload',
    'a.mts': 'reload',
    'a.cts': 'reload',
    'a.tsx': 'reload',
    'a.jsx': 'reload',
    'config.json': 'reload',
    'package.json': 'reload',
    'package-lock.json': 'dependencies',
    'README.md': 'ignore',
    '.#server.js': 'ignore',
    'node_modules/other/index.js': 'ignore',
    'node_modules/.package-lock.json': 'dependencies',
    '/work/lib/b.js': 'reload',
    '/work/lib/node_modules/b.js': 'ignore',
    '/work/elsewhere/b.js': 'ignore',
    '/work/package.json': 'dependencies'
  }
  for (const [file, meaning] of Object.entries(table)) {
    t.equal(classify(path.resolve(root, file), known({ broken: true })), meaning, file)
  }
})

t.test('a loaded package.json is code', async (t) => {
  t.equal(classify(`${root}/package.json`, known({ loaded: new Set([`${root}/package.json`]) })), 'reload')
})

t.test('patterns', async (t) => {
  const watch = [
    'views/**',
    '!views/cache/**',
    '.env',
    './locales/*.json',
    `${root}/abs/*.txt`,
    'public/',
    'node_modules/own/**'
  ]
  const table: Record<string, string> = {
    'views/index.html': 'reload',
    'views/a/.hidden': 'reload',
    'views/cache/index.html': 'ignore',
    'views/index.html~': 'ignore',
    'views/.index.html.swp': 'ignore',
    'views/index.html.tmp.123': 'ignore',
    '.env': 'reload',
    '.env.local': 'ignore',
    'sub/.env': 'ignore',
    'locales/de.json': 'reload',
    'locales/deep/de.json': 'ignore',
    'abs/a.txt': 'reload',
    'public/app.css': 'reload',
    'node_modules/own/a.js': 'reload',
    'node_modules/other/a.js': 'ignore'
  }
  for (const [file, meaning] of Object.entries(table)) {
    t.equal(classify(path.resolve(root, file), known({}, watch)), meaning, file)
  }
  t.equal(classify(`${root}/a.js`, known({}, ['!b.js'])), 'ignore', 'a pattern with ! alone adds nothing')
  t.equal(
    classify(`${root}/server.js`, known({}, ['**', '!server.js'])),
    'reload',
    'nor does it take away a loaded file'
  )
})

t.test('which folders are watched', async (t) => {
  const globs = compileGlobs(['**/*.html', '.config/**', 'dist/views/*.html', 'node_modules/own/**', '.env'], root)
  const table: Record<string, boolean> = {
    '.': true,
    src: true,
    'src/deep/er': true,
    '.git': false,
    '.git/objects': false,
    'src/.cache': false,
    node_modules: true,
    'node_modules/own': true,
    'node_modules/own/lib/.x': true,
    'node_modules/own/node_modules/b': false,
    'node_modules/other': false,
    'src/node_modules': false,
    dist: true,
    'dist/views': true,
    'dist/other': false,
    build: false,
    coverage: false,
    '.config': true,
    '.config/a': true,
    '..': false,
    '../lib': false
  }
  for (const [folder, isWatched] of Object.entries(table)) {
    t.equal(isCovered(path.resolve(root, folder), root, globs), isWatched, folder)
  }
})

t.test('the folders that say what the app depends on', async (t) => {
  const top = t.testdir({ '.git': {} })
  const app = path.join(top, 'work/apps/shop')
  mkdirSync(app, { recursive: true })
  t.same(projectFolders(app), [app], 'no lockfile up to the repository')
  writeFileSync(path.join(top, 'work/package.json'), '{"workspaces":["apps/*"]}')
  t.same(projectFolders(app), [app, path.dirname(app), path.join(top, 'work')], 'up to the workspace')
  writeFileSync(path.join(app, 'package.json'), '{ half')
  t.equal(projectFolders(app).length, 3, 'a broken package.json is none')
  writeFileSync(path.join(app, 'yarn.lock'), '')
  t.same(projectFolders(app), [app], 'the nearest lockfile')
})
