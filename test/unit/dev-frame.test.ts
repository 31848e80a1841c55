import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { errorToData } from '#core/errors.js'
import type { FailureError } from '#dev/failure.js'
import { codeFrame } from '#dev/page/frame.js'
import { framePlace } from '#dev/page/places.js'

const source = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`).join('\n')
const failing = (stack: string, message = 'no'): FailureError => ({ name: 'Error', message, stack })

/** What importing a file throws, as the supervisor gets to know it. */
async function importing(file: string): Promise<FailureError> {
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    return errorToData(error)
  }
  throw new Error(`${file} is without fault`)
}

t.test('the first frame in the own code is shown, not one of Node or of a dependency', async (t) => {
  const dir = t.testdir({
    node_modules: { lib: { 'index.js': source(30) } },
    routes: { 'user.js': source(30) },
    'server.js': source(30)
  })
  const at = (file: string, line: number) => `    at fn (${path.join(dir, file)}:${line}:3)`
  const stack = [
    'Error: no',
    '    at node:internal/modules/run:1:1',
    at('node_modules/lib/index.js', 7),
    at('routes/user.js', 12),
    at('server.js', 3)
  ].join('\n')
  const frame = codeFrame(failing(stack), dir)
  t.match(frame, { file: path.join('routes', 'user.js'), line: 12, column: 3 })
  t.equal(frame?.lines[0]?.number, 7)
  t.strictSame(frame?.lines.at(-1), { number: 17, text: 'line 17' })
})

t.test('at the edges of a file there are fewer lines around', async (t) => {
  const dir = t.testdir({ 'a.js': source(4) })
  const frame = codeFrame(failing(`Error: no\n    at ${path.join(dir, 'a.js')}:1:1`), dir)
  t.strictSame(
    frame?.lines.map(({ number }) => number),
    [1, 2, 3, 4]
  )
})

t.test('a file that is gone, or has fewer lines now, is passed over', async (t) => {
  const dir = t.testdir({ 'short.js': 'one', 'good.js': source(5) })
  const stack = ['Error: no', ...['gone.js:1:1', 'short.js:9:1', 'good.js:2:1'].map((at) => `    at ${dir}/${at}`)]
  t.match(codeFrame(failing(stack.join('\n')), dir), { file: 'good.js', line: 2 })
  t.equal(codeFrame(failing('Error: no'), dir), undefined)
  t.equal(codeFrame(failing(`Error: no\n    at ${dir}:1:1`), dir), undefined, 'a folder')
})

t.test('only source files of the project are shown, whatever an error names', async (t) => {
  const dir = t.testdir({
    app: { 'package.json': '{}', 'package-lock.json': '{}', 'a.js': source(4), '.env': 'secret' },
    'other.js': source(4)
  })
  const app = path.join(dir, 'app')
  const at = (file: string) => codeFrame(failing(`Error: no\n    at f (${path.join(app, file)}:1:1)`), app)
  t.equal(at('a.js')?.file, 'a.js')
  t.equal(at('.env'), undefined)
  t.equal(at('../other.js'), undefined)
  t.equal(codeFrame(failing('Error: no\n    at f (/etc/passwd:1:1)'), app), undefined)
})

t.test('a message that looks like frames names no place', async (t) => {
  const dir = t.testdir({ 'package.json': '{}', 'a.js': source(4), 'b.js': source(4) })
  const message = `sent:\n    at f (${dir}/a.js:1:1)`
  const stack = `Error: ${message}\n    at f (${dir}/b.js:2:1)`
  t.match(codeFrame(failing(stack, message), dir), { file: 'b.js', line: 2 })
})

t.test('a line as long as a bundle is cut', async (t) => {
  const dir = t.testdir({ 'bundle.js': 'x'.repeat(100_000) })
  const frame = codeFrame(failing(`Error: no\n    at ${dir}/bundle.js:1:90000`), dir)
  t.equal(frame?.lines[0]?.text.length, 402)
  t.equal(frame?.column, undefined)
})

t.test('errors that Node throws for files', async (t) => {
  const dir = t.testdir({
    'module.mjs': '// one\nexport const a = 1\nconst b = = 2\n',
    'importing.mjs': "import './module.mjs'\n",
    'common.cjs': '// one\n\tconst b = = 2\n',
    'names.mjs': "// one\nimport {\n  a,\n  gone } from './good.mjs'\n",
    'good.mjs': 'export const a = 1\n',
    'nowhere.mjs': "// one\nimport a from './gone.mjs'\n",
    'package.mjs': "import fs from 'node:fs'\nimport a from 'not-installed'\n",
    'data.mjs': `export default JSON.parse("{")\n`,
    'throws.mjs': 'function deep() {\n  throw new Error("no")\n}\ndeep()\n',
    'a (b)': { 'paren.mjs': 'null.x\n' },
    'broken.json': '{\n  "a": 1,\n}\n',
    'json.cjs': "require('./broken.json')\n"
  })
  const cases: [string, string, number, number?][] = [
    ['module.mjs', 'module.mjs', 3, 11],
    ['importing.mjs', 'module.mjs', 3, 11],
    ['common.cjs', 'common.cjs', 2, 12],
    ['nowhere.mjs', 'nowhere.mjs', 2],
    ['package.mjs', 'package.mjs', 2, 16],
    ['data.mjs', 'data.mjs', 1],
    ['throws.mjs', 'throws.mjs', 2, 9],
    ['a (b)/paren.mjs', 'a (b)/paren.mjs', 1, 6],
    ['json.cjs', 'broken.json', 3, 1]
  ]
  for (const [file, shown, line, column] of cases) {
    const error = await importing(path.join(dir, file))
    const frame = codeFrame(error, dir)
    t.match(frame, { file: path.normalize(shown), line, ...(column ? { column } : {}) }, `${file}\n${error.stack}`)
  }
  const names = codeFrame(await importing(path.join(dir, 'names.mjs')), dir)
  t.match(names, { file: 'names.mjs' }, 'an export that is not there')
})

t.test('what the strippers and compilers of TypeScript say', async (t) => {
  const text = '// one\nexport enum Colour { Red }\n'
  const dir = t.testdir({ 'enum.ts': text })
  const file = path.join(dir, 'enum.ts')
  const stripping = `${file}:2\n${text}       ^^^^^^^^^^^^^^^^^^^\n\nSyntaxError [ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX]: TypeScript enum is not supported in strip-only mode\n    at parseTypeScript (node:internal/modules/typescript:57:40)`
  t.match(codeFrame(failing(stripping), dir), { file: 'enum.ts', line: 2, column: 8 })
  const message = `Transform failed with 1 error:\n${file}:2:7: ERROR: Unexpected "enum"`
  t.match(codeFrame(failing(`Error: ${message}`, message), dir), { file: 'enum.ts', line: 2, column: 8 })
})

t.test('a file URL with a query is the file', async (t) => {
  const dir = t.testdir({ 'a ü.mjs': source(3) })
  const url = pathToFileURL(path.join(dir, 'a ü.mjs')).href
  t.match(codeFrame(failing(`Error: no\n    at async ${url}?v=3:2:5`), dir), { file: 'a ü.mjs', line: 2, column: 5 })
})

t.test('lines that are no frames of a file', async (t) => {
  for (const line of [
    'Error: at /a.js:1:1',
    '    at eval (eval at x (/a.js:1:1), <anonymous>:2:2)',
    '    at JSON.parse (<anonymous>)',
    '    at file://%zz/a:1:1',
    '    at node:internal/x:1:1',
    ''
  ]) {
    t.equal(framePlace(line), undefined, line)
  }
  t.strictSame(framePlace('    at new Foo [as bar] (/a.js:1:2)'), { file: '/a.js', line: 1, column: 2 })
})

t.test('the place of a syntax error is not invented', async (t) => {
  const dir = t.testdir({ 'a.mjs': 'export default () => JSON.parse("{")\n' })
  const { default: parse } = (await import(pathToFileURL(path.join(dir, 'a.mjs')).href)) as { default: () => unknown }
  let thrown: unknown
  try {
    parse()
  } catch (error) {
    thrown = error
  }
  const { stack } = thrown as Error
  t.equal(errorToData(thrown).stack, stack)
  t.match(stack, /^SyntaxError: /)
  t.ok(readFileSync(path.join(dir, 'a.mjs')))
  const frozen = Object.freeze(new SyntaxError('no'))
  t.match(errorToData(frozen).stack, /^SyntaxError: no/)
})
