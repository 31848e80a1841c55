import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { errorToData } from '#core/errors.js'
import { attachPlace } from '#core/syntax-place.js'

const folder = t.testdir({
  'bad.mjs': 'export const fine = 1\nconst wrong = ;\n',
  'bad.cjs': 'const fine = 1\nconst wrong = ;\n',
  'imports.mjs': "import { nothing } from './good.mjs'\n",
  'good.mjs': 'export const something = 1\n',
  'cause.mjs': "try { await import('./bad.mjs') } catch (cause) { throw new Error('outer', { cause }) }\n"
})
const load = async (name: string): Promise<Error> => {
  try {
    await import(pathToFileURL(path.join(folder, name)).href)
  } catch (error) {
    return error as Error
  }
  throw new Error(`${name} was loaded`)
}

t.test('a syntax error in an ES module travels with its place', async (t) => {
  const { stack, message } = errorToData(await load('bad.mjs'))
  t.match(stack, /bad\.mjs:2\nconst wrong = ;\n +\^\n\n?SyntaxError: Unexpected token ';'/)
  t.equal(message, "Unexpected token ';'")
})

t.test('as a cause, too', async (t) => {
  t.match(errorToData(await load('cause.mjs')).cause?.stack, /bad\.mjs:2\nconst wrong = ;/)
})

t.test('that of CommonJS has it once', async (t) => {
  let thrown: unknown
  try {
    createRequire(import.meta.url)(path.join(folder, 'bad.cjs'))
  } catch (error) {
    thrown = error
  }
  const { stack } = errorToData(thrown)
  t.equal(stack.match(/const wrong = ;/g)?.length, 1)
  t.match(stack, /bad\.cjs:2\n/)
})

t.test('told twice it has its place once', async (t) => {
  const error = await load('bad.mjs')
  errorToData(error)
  t.equal(errorToData(error).stack.match(/const wrong = ;/g)?.length, 1)
})

t.test('an export that is not there is shown where it is imported', async (t) => {
  t.match(errorToData(await load('imports.mjs')).stack, /imports\.mjs:1\n.*nothing[\s\S]*SyntaxError: .*nothing/)
})

t.test('one that has no place gets none', async (t) => {
  const wrong = '['
  for (const make of [() => JSON.parse('{'), () => new RegExp(wrong), () => Function('const = 1'), throwOwn]) {
    try {
      make()
      t.fail('it threw nothing')
    } catch (error) {
      const { stack } = error as Error
      t.equal(errorToData(error).stack, stack, String(error))
    }
  }
})

t.test('whatever somebody did to the error, it is told', async (t) => {
  const frozen = Object.freeze(new SyntaxError('frozen'))
  t.equal(errorToData(frozen).message, 'frozen')
  const broken = new SyntaxError('broken')
  Object.defineProperty(broken, 'stack', {
    get() {
      throw new Error('no stack')
    }
  })
  t.equal(errorToData(broken).message, 'broken')
  t.doesNotThrow(() => attachPlace(frozen))
})

t.test('nothing is printed on the way', async (t) => {
  const script = `import { errorToData } from '#core/errors.js'
try { JSON.parse('{') } catch (error) { errorToData(error) }`
  t.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }), '')
})

function throwOwn(): never {
  throw new SyntaxError('of our own')
}
