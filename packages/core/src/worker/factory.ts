import { MapacheError } from '../errors.js'
import { show } from '../options.js'

/** Makes an app: a new one at each call. */
export type Factory<App> = () => App | Promise<App>

/** The default export of a module, also of CommonJS that was compiled from ES modules. */
export function unwrapDefault(exports: Record<string, unknown>): unknown {
  const { default: value } = exports
  const inner = value as { __esModule?: boolean; default?: unknown } | undefined
  return inner?.__esModule ? inner.default : value
}

/** The options that are functions, which a factory's module exports beside it: no function comes from another process. */
export const EXPORTED = ['server', 'warmup', 'health', 'setup', 'teardown'] as const
export type Exported = { [Name in (typeof EXPORTED)[number]]?: unknown }

/** What the module of a factory exports: the factory, and what of the options can only be given there. */
export async function loadFactory(url: string): Promise<{ factory: unknown; options: Exported }> {
  const exports = (await import(url)) as Record<string, unknown>
  const given = EXPORTED.filter((name) => exports[name] !== undefined)
  return { factory: unwrapDefault(exports), options: Object.fromEntries(given.map((name) => [name, exports[name]])) }
}

/** @throws MAPACHE_FACTORY_INVALID when it is no function */
export function checkFactory<App>(factory: unknown): Factory<App> {
  if (typeof factory === 'function') return factory as Factory<App>
  throw new MapacheError(
    'MAPACHE_FACTORY_INVALID',
    `the factory must be a function, or the path or URL of a module whose default export is one, got ${show(factory)}`
  )
}
