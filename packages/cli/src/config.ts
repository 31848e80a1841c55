import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { MapacheError, type MapacheOptions } from '@mapache/core'
import { attachPlace, normaliseOptions, show } from '@mapache/core/adapter'

/**
 * Loads the cluster's options from a module: its default export.
 * @param file relative to the working directory
 * @throws MAPACHE_OPTION_INVALID when it is not there, cannot be loaded, or has something else as its default export
 */
export async function loadConfig(file: string): Promise<MapacheOptions> {
  const url = pathToFileURL(path.resolve(file))
  if (!existsSync(url)) throw wrong(file, 'does not exist')
  if (statSync(url).isDirectory()) throw wrong(file, 'is a folder: name the module in it')
  let options: unknown
  try {
    options = ((await import(url.href)) as { default?: unknown }).default
  } catch (cause) {
    if (cause instanceof SyntaxError) attachPlace(cause)
    throw wrong(file, 'cannot be loaded:', cause)
  }
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw wrong(file, `must have an object of options as its default export, got ${show(options)}`)
  }
  try {
    normaliseOptions(options)
  } catch (error) {
    // Which of its options is wrong is said; here, which file it is in.
    throw wrong(file, `is wrong: ${(error as Error).message.replace('MAPACHE_OPTION_INVALID: ', '')}`)
  }
  const own = IN_WORKERS.find((name) => name in options)
  if (own)
    throw wrong(
      file,
      `is wrong: ${own} runs in the workers, which this file does not reach: give it where the app is made`
    )
  return options
}

/** What a config says of the log, with what flags say in its stead. */
export function withLog(config: MapacheOptions['log'], flags: { level?: string; format?: string }): unknown {
  if (Object.keys(flags).length === 0) return config ?? {}
  if (typeof config === 'string') return { level: config, ...flags }
  // A logger of the config's own has a level and a format of its own: the flags want another one.
  const plain = typeof config === 'object' && Object.getPrototypeOf(config) === Object.prototype
  return plain ? { ...config, ...flags } : flags
}

function wrong(file: string, text: string, cause?: unknown): MapacheError {
  return new MapacheError('MAPACHE_OPTION_INVALID', `--config ${file} ${text}`, cause === undefined ? {} : { cause })
}

/** Options that are functions of the app's, and are read in its workers. */
const IN_WORKERS = ['health', 'warmup'] as const
