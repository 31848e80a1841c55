import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { chooseLoader, needsTransform, transformHint } from '#dev/typescript.js'
import { ROOT } from '../support/fixture.js'

const strips = Boolean((process.features as { typescript?: unknown }).typescript)

/** Writes files and gives their folder; tsx is installed there if wanted. */
function project(t: { testdir(): string }, files: Record<string, string>, { tsx = false } = {}): string {
  const folder = t.testdir()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
  const fake = path.join(folder, 'node_modules/tsx')
  if (tsx) symlinkSync(path.join(ROOT, 'node_modules/tsx'), fake)
  else {
    // Ahead of the one that the tests themselves could find above.
    mkdirSync(fake)
    writeFileSync(path.join(fake, 'package.json'), '{"name":"tsx","version":"3.14.0","exports":{".":"./x.mjs"}}')
  }
  return folder
}

const choose = (cwd: string, entry = 'server.ts', features: 'strip' | false = 'strip') => {
  const { loader, why } = chooseLoader({ entry: path.join(cwd, entry), cwd, features, nodeVersion: '20.19.0' })
  return [loader, why]
}

t.test('JavaScript needs no loader, and its map if it was compiled', async (t) => {
  const cwd = project(t, { 'a.js': 'let a\n', 'b.js': 'let b\n//# sourceMappingURL=b.js.map\n' })
  t.same(chooseLoader({ entry: path.join(cwd, 'a.js'), cwd }).execArgv, [])
  t.same(chooseLoader({ entry: path.join(cwd, 'b.js'), cwd }).execArgv, ['--enable-source-maps'])
})

t.test('Node.js where stripping is enough', async (t) => {
  const config = '{ // strict\n "compilerOptions": { "strict": true, "paths": {}, }, }'
  const cwd = project(t, { 'tsconfig.json': config }, { tsx: true })
  for (const entry of ['server.ts', 'server.mts', 'server.cts']) t.equal(choose(cwd, entry)[0], 'node')
})

t.test('tsx for what stripping cannot do', async (t) => {
  const options = (text: string) => ({ 'tsconfig.json': `{"compilerOptions":{${text}}}` })
  const why = (files: Record<string, string>, entry?: string, features?: false) => {
    const [loader, why] = choose(project(t, files, { tsx: true }), entry, features)
    t.equal(loader, 'tsx')
    return why
  }
  t.match(why(options('"paths":{"~/*":["./src/*"]}')), /tsconfig\.json sets paths$/)
  t.match(why(options('"experimentalDecorators":true')), /sets experimentalDecorators$/)
  t.match(why(options('"emitDecoratorMetadata":true')), /emits no metadata/)
  t.match(why(options('"jsx":"react-jsx"')), /sets jsx$/)
  t.match(why({}, 'server.tsx'), 'Node.js runs no .tsx files')
  t.match(why({}, 'server.ts', false), 'Node.js 20.19.0 does not strip types')
  t.match(
    why({ 'tsconfig.json': '{"extends":"./base"}', 'base.json': options('"paths":{"a":["b"]}')['tsconfig.json'] }),
    /paths/
  )
})

t.test('tsx that is needed and missing is said with the command that installs it', async (t) => {
  const cwd = project(t, { 'tsconfig.json': '{"compilerOptions":{"jsx":"preserve"}}' })
  t.equal(choose(cwd)[0], 'node', 'jsx alone may be for the pages only')
  const expected = {
    code: 'MAPACHE_LOADER_MISSING',
    message: /: server\.ts needs tsx: Node\.js 20.*\. Run: npm install --save-dev tsx$/
  }
  t.throws(() => choose(cwd, 'server.ts', false), expected)
})

t.test('a broken tsconfig.json does not keep from starting', async (t) => {
  const cwd = project(t, { 'tsconfig.json': '{"extends":"./missing.json"}' })
  t.match(choose(cwd), ['node', /Node\.js strips the types \(tsconfig\.json was not understood: /])
})

t.test('what is chosen runs, with the paths of the tsconfig beside the entry', async (t) => {
  const files = {
    'app/tsconfig.json': '{"compilerOptions":{"paths":{"~/*":["./lib/*"]}}}',
    'app/lib/x.ts': 'export enum X { One = 1 }\n',
    'app/server.mts': "import { X } from '~/x'\n\ninterface A {\n  a: 1\n}\nthrow new Error('one is ' + X.One)\n"
  }
  const cwd = project(t, files, { tsx: true })
  const entry = path.join(cwd, 'app/server.mts')
  const { execArgv, env } = chooseLoader({ entry, cwd })
  t.same(env, { TSX_TSCONFIG_PATH: path.join(cwd, 'app/tsconfig.json') })
  t.same(chooseLoader({ entry, cwd: path.dirname(entry) }).env, {})
  const options = { cwd, env: { ...process.env, ...env }, encoding: 'utf8', timeout: 30_000 } as const
  const { stderr } = spawnSync(process.execPath, [...execArgv, entry], options)
  t.match(stderr, /Error: one is 1\n {4}at .*server\.mts:6:7/)
})

t.test('what stripping cannot run is known from the error', { skip: !strips && 'needs type stripping' }, async (t) => {
  const files: Record<string, string> = {
    'enum.ts': 'enum A { X }',
    'parameter.ts': 'class P { constructor(private x: number) {} }',
    'decorator.ts': 'function d(_x: any, _c: any) {}\n@d class Q {}',
    'plain.cts': 'function d(_x: any, _c: any) {}\n@d class Q {}',
    'argument.ts': 'class Q {\n  constructor(a: string, @d() b: string) {}\n}',
    'member.ts': 'function d(_x: any, _c: any) {}\nclass Q {\n  @d() a() {}\n}',
    'page.ts': "import './page.tsx'",
    'page.tsx': 'export {}',
    'name.ts': "import './lib/x.js'",
    'bare.ts': "import './lib/x'",
    'folder.ts': "import './lib'",
    'require.cts': "require('./lib/x')",
    'lib/x.ts': 'export interface X {}',
    'lib/index.ts': '',
    'type.ts': "import { X } from './lib/x.ts'\nexport const a: X = {}"
  }
  const wrong: Record<string, string> = {
    'syntax.ts': 'let x: = 3',
    'at.js': 'let x = @',
    'comment.ts': '/**\n * @param a\n */\n// @ts-check\nconst mail: string = "a@b.c" + \\',
    'missing.ts': "import './nothing.js'",
    'package.ts': "import 'no-such-package'",
    'throws.ts': "throw new SyntaxError('Invalid or unexpected token')"
  }
  // In a process of its own: the hooks of the test runner would change what Node.js says.
  const cwd = project(t, { 'package.json': '{"type":"module"}', 'try.mjs': TRY, ...files, ...wrong })
  const names = [...Object.keys(files).filter((name) => !name.startsWith('lib/')), ...Object.keys(wrong)]
  const options = { cwd, env: { ...process.env, NODE_OPTIONS: '' }, encoding: 'utf8', timeout: 30_000 } as const
  const { stdout, stderr } = spawnSync(process.execPath, ['try.mjs', ...names], options)
  t.match(stdout, /^\{/, stderr)
  const errors = JSON.parse(stdout) as Record<string, unknown>
  for (const name of names) {
    const candidates = [path.join(cwd, 'gone.ts'), path.join(cwd, name)]
    const needed = name in files
    t.equal(needsTransform(errors[name], candidates), needed, `${name}: ${transformHint(errors[name], candidates)}`)
  }
  t.ok(needsTransform({ name: 'MapacheError', message: 'boot failed', cause: errors['enum.ts'] }), 'as a cause')
  t.notOk(needsTransform(errors['decorator.ts'], [path.join(cwd, 'comment.ts')]))
  for (const odd of [undefined, null, 'text', 3, {}]) t.notOk(needsTransform(odd))
})

const TRY = `const errors = {}
for (const name of process.argv.slice(2)) {
  await import('./' + name).catch(({ name: type, message, stack, code }) => {
    errors[name] = { name: type, message, stack, code }
  })
}
console.log(JSON.stringify(errors))
`
