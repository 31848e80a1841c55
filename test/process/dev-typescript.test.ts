import t from 'tap'
import { DevApp, dependency, type Files, tells } from '../support/dev.js'
import { unsupported } from '../support/native.js'

const strips = Boolean((process.features as { typescript?: unknown }).typescript)
const onlyStrips = { skip: strips ? false : 'this Node.js does not strip types' }
const needsTsx = { skip: strips ? 'this Node.js strips types' : false }
const PATHS = JSON.stringify({
  compilerOptions: { baseUrl: '.', paths: { '#lib/*': ['./lib/*'] }, experimentalDecorators: true, module: 'nodenext' }
})
const typed = (version: number, imports = '', more = '{}') =>
  `interface Unused { a: number }\n${tells(version, imports, more)}export const typed: number = ${version}\n`

for (const extension of ['ts', 'mts', 'cts']) {
  t.test(`.${extension} by Node.js itself, forked`, onlyStrips, async (t) => {
    const entry = `server.${extension}`
    const imports = extension === 'cts' ? '' : `import { loadedBy } from 'dep'\nimport { lib } from './lib.ts'`
    const code = (version: number) => {
      if (extension !== 'cts') return typed(version, imports, '{ loadedBy, lib }')
      return typed(
        version,
        `const { loadedBy } = require('dep') as { loadedBy: number }\nconst { lib } = require('./lib.ts')`,
        '{ loadedBy, lib }'
      )
        .replace(`import http from 'node:http'`, `const http: typeof import('node:http') = require('node:http')`)
        .replace('export const', 'const')
    }
    const app = new DevApp(t, {
      args: ['--log-level', 'info'],
      files: {
        [entry]: code(1),
        'package.json': '{ "type": "module" }',
        'lib.ts': 'export const lib: number = 1',
        ...dependency('dep', 'export const loadedBy = process.pid')
      }
    })
    const strategy = await app.started()
    const kept = await app.ready()
    t.equal(strategy, unsupported.skip ? 'standby' : 'fork')
    await app.change(entry, code(2))
    t.match(await app.ask(), { version: 2, more: { loadedBy: kept, lib: 1 } })
    await app.change('lib.ts', 'export const lib: number = 2')
    t.match(await app.ask(), { version: 2, more: { lib: 2 } })
    app.edit(
      entry,
      code(3).replace('1: ', '1: ').replace('export const', 'export cons').replace('const typed:', 'cons typed:')
    )
    await app.said(/^failed/m)
    await app.change(entry, code(4))
    t.match(await app.ask(), { version: 4 })
  })
}

t.test('an error has the place in the TypeScript file, by Node.js itself', onlyStrips, async (t) => {
  const app = new DevApp(t, {
    files: {
      'server.ts': `${typed(1)}\nfunction fails(text: string): never {\n  throw new Error(text)\n}\nfails('at line 11')\n`
    }
  })
  await app.printed(/^failed/m)
  await app.printed(/server\.ts:11:9/)
})

const TSX: Files = {
  'src/server.ts': tells(
    1,
    `import { Kind, lib, named } from '#lib/all.ts'\nimport { view } from './view.tsx'`,
    '{ kind: Kind.B, lib, named, view: view() }'
  ),
  'lib/all.ts': `export enum Kind { A = 1, B = 7 }
export const lib: number = 1
const called: string[] = []
function name(_target: object, key: string) { called.push(key) }
class Named { @name field = 1 }
export const named = called.concat(String(new Named().field))
`,
  'src/view.tsx': `const h = (tag: string, _props: unknown, text: string) => '<' + tag + '>' + text
/** @jsx h */
export const view = () => <p>text</p>
`,
  'tsconfig.json': PATHS,
  'package.json': '{ "type": "module" }'
}

t.test('with tsx: paths of tsconfig.json, enums, decorators, .tsx', async (t) => {
  const app = new DevApp(t, { files: TSX, links: ['tsx'], args: ['--log-level', 'info'] })
  t.equal(await app.started(), 'standby')
  t.match(app.output, /^TypeScript by tsx: .*tsconfig\.json sets paths$/m)
  t.same((await app.ask()).more, { kind: 7, lib: 1, named: ['field', '1'], view: '<p>text' })
  const spare = await app.ready()
  await app.change('lib/all.ts', app.files.read('lib/all.ts').replace('lib: number = 1', 'lib: number = 2'))
  const told = await app.ask()
  t.match(told.more, { kind: 7, lib: 2 })
  t.equal(told.pid, spare)
  await app.change('src/view.tsx', app.files.read('src/view.tsx').replace('text<', 'other<'))
  t.match((await app.ask()).more, { lib: 2, view: '<p>other' })
})

t.test('with tsx: places of errors are those in the source', async (t) => {
  const broken = `${TSX['lib/all.ts']}interface Gone {\n  a: number\n}\nthrow new Error('thrown at line 10')\n`
  const app = new DevApp(t, { files: TSX, links: ['tsx'] })
  await app.started()
  app.edit('lib/all.ts', broken)
  await app.said(/^Error: thrown at line 10$/m)
  await app.said(/lib\/all\.ts:10:7/)
  app.edit('lib/all.ts', 'const a: number = = 1')
  await app.said(/lib\/all\.ts:1:19/)
  await app.change('lib/all.ts', TSX['lib/all.ts'] as string)
  t.match((await app.ask()).more, { lib: 1 })
})

t.test('without tsx where it is needed: a clear error', async (t) => {
  const app = new DevApp(t, { files: TSX })
  t.same(await app.exit(), { code: 1, signal: null })
  t.match(
    app.output,
    /MAPACHE_LOADER_MISSING: src\/server\.ts needs tsx: .*tsconfig\.json sets paths\. Run: npm install --save-dev tsx/
  )
  t.notMatch(app.output, /\bat /)
})

t.test('plain TypeScript on a Node.js that does not strip types', needsTsx, async (t) => {
  const files = { 'server.ts': typed(1) }
  const without = new DevApp(t, { files })
  t.same(await without.exit(), { code: 1, signal: null })
  t.match(without.output, /server\.ts needs tsx: Node\.js \d+\.\d+\.\d+ does not strip types/)
  const app = new DevApp(t, { files, links: ['tsx'] })
  t.equal(await app.started(), 'standby')
  await app.change('server.ts', typed(2))
  t.equal((await app.ask()).version, 2)
})
