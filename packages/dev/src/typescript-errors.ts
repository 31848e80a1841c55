import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Tells whether an error comes from TypeScript that stripping types cannot run, and a loader that transforms would.
 * @param error an Error, or the plain data of one; its causes are looked at too
 * @param files paths of files that it may come from (loaded or changed), for errors that do not name theirs
 */
export function needsTransform(error: unknown, files: readonly string[] = []): boolean {
  return transformHint(error, files) !== undefined
}

/** Says what it is that needs more than stripping types; nothing, if the error is of another kind. */
export function transformHint(error: unknown, files: readonly string[] = []): string | undefined {
  let current = error
  for (let depth = 0; depth < DEEPEST && typeof current === 'object' && current !== null; depth++) {
    const { code, message, stack, cause } = current as Record<string, unknown>
    const hint = hintOf({ code: String(code), message: String(message), stack: String(stack) }, files)
    if (hint !== undefined) return hint
    current = cause
  }
  return undefined
}

function hintOf(error: Told, files: readonly string[]): string | undefined {
  switch (error.code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return error.message
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'a dependency is written in TypeScript'
    case 'ERR_UNKNOWN_FILE_EXTENSION': {
      const extension = /"(\.[cm]?tsx?|\.jsx)"/.exec(error.message)?.[1]
      return extension && `Node.js runs no ${extension} files`
    }
    case 'ERR_MODULE_NOT_FOUND':
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
    case 'MODULE_NOT_FOUND':
      return untoldExtension(error.message)
    default:
      return decorator(error, files) ?? importedType(error)
  }
}

/** `import './user.js'` or './user' that means user.ts: Node.js wants the file's true name. */
function untoldExtension(message: string): string | undefined {
  const wanted = /'([^']+)'/.exec(message)?.[1]
  const importer = /imported from (\S.*)$|^- (.*)$/m.exec(message)
  if (wanted === undefined || importer === null) return undefined
  const from = toPath(importer[1] ?? importer[2] ?? '')
  if (!path.isAbsolute(wanted) && !/^\.{1,2}(\/|$)/.test(wanted)) return undefined
  const target = path.resolve(path.dirname(from), wanted)
  const bare = target.replace(/\.([cm]?)jsx?$/, '')
  const names = [target, bare].flatMap((name) => ENDINGS.map((ending) => name + ending))
  const found = names.find((name) => existsSync(name))
  return found && `${path.basename(from)} imports ${path.basename(found)} by the name ${path.basename(wanted)}`
}

/**
 * V8 knows no decorators: all that it says is that it did not expect the sign. In an ECMAScript module it does not even
 * say in which file, so those that it may be are searched for one.
 */
function decorator({ message, stack }: Told, files: readonly string[]): string | undefined {
  if (message !== 'Invalid or unexpected token') return undefined
  const [head = '', source = '', caret = ''] = stack.split('\n')
  const shown = TYPED_PLACE.test(head) && source[caret.indexOf('^')] === '@'
  const hidden = /compileSourceTextModule/.test(stack) && files.some((file) => TYPED.test(file) && hasDecorator(file))
  return shown || hidden ? 'decorators' : undefined
}

function hasDecorator(file: string): boolean {
  try {
    return DECORATOR.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}

/** `import { Request } from 'express'`, which is but a type: without `import type` it is taken for a value. */
function importedType({ message, stack }: Told): string | undefined {
  const name =
    /does not provide an export named '([^']+)'/.exec(message) ?? /Named export '([^']+)' not found/.exec(message)
  if (name === null || !TYPED_PLACE.test(stack.split('\n')[0] ?? '')) return undefined
  return `${name[1]} is imported like a value; if it is a type, write import type`
}

function toPath(place: string): string {
  return place.startsWith('file:') ? fileURLToPath(place) : place
}

interface Told {
  code: string
  message: string
  stack: string
}

const TYPED = /\.([cm]?ts|tsx|jsx)$/
/** The sign ahead of a name, not in a comment or behind the beginning of a text. */
const DECORATOR = /^(?!\s*(?:\*|\/[/*]))[^'"`\n]*?(?<![\w'"`])@[A-Za-z_$]/m
const TYPED_PLACE = /\.([cm]?ts|tsx|jsx):\d+$/
const ENDINGS = ['.ts', '.mts', '.cts', '.tsx', '/index.ts', '/index.tsx']
const DEEPEST = 5
