import { MapacheError } from '../../errors.js'
import type { Logger } from '../../log.js'
import type { Settings } from '../../options.js'
import type { EntrySource } from '../entry.js'
import { MoldLauncher } from './mold.js'
import { type FoundNative, findNative, importNative } from './native.js'

/**
 * Decides whether this cluster can fork its workers: the app has @mapache/native installed, and the self-test of this Node
 * with this build of it passes.
 * @param native URL of @mapache/native for an app that has none of its own
 * @returns what launches molds; undefined when workers are spawned
 * @throws MAPACHE_FORK_UNAVAILABLE when they must be forked and cannot be
 */
export async function prepareForking(
  source: EntrySource,
  boot: Settings['boot'],
  log: Logger,
  native?: string
): Promise<MoldLauncher | undefined> {
  if (boot === 'spawn') return undefined
  const found = (await findNative(source.module?.file ?? source.script)) ?? (await named(native))
  if (!found) {
    if (boot === 'auto') return undefined
    const text = "boot is 'fork', and the app has no @mapache/native: npm install @mapache/native"
    throw new MapacheError('MAPACHE_FORK_UNAVAILABLE', text)
  }
  const reason = await whyNot(found, log)
  if (reason === undefined) return new MoldLauncher(found)
  if (boot === 'fork') throw new MapacheError('MAPACHE_FORK_UNAVAILABLE', `boot is 'fork', and ${reason}`)
  log.warn(`workers are spawned, not forked: ${reason}`)
  return undefined
}

async function named(url: string | undefined): Promise<FoundNative | undefined> {
  return url === undefined ? undefined : { native: await importNative(url), url }
}

async function whyNot({ native }: FoundNative, log: Logger): Promise<string | undefined> {
  const support = native.supported()
  if (!support.ok) return support.reason
  log.debug('testing whether this Node can fork')
  const test = await native.selfTest()
  return test.ok ? undefined : `the self-test of @mapache/native failed: ${test.reason}`
}
