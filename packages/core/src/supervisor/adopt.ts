import { isDeepStrictEqual } from 'node:util'
import { CHANGEABLE, FIXED, normaliseOptions, type ReportedOptions, type Settings } from '../options.js'

/** What new code's options change. */
export interface Adoption {
  settings: Settings
  /** Lines for the log: `workers 2 → 4`. */
  changed: string[]
  /** Options that hold until the next start: `backlog 4096 → 1024`. */
  held: string[]
}

/**
 * Takes over the options of new code, as far as they can change while the supervisor runs. An option counts as new only
 * where it differs from what the code before said: what was scaled by hand meanwhile stays.
 * @param current what is in force
 * @param before what the code reported last; undefined at the first report
 * @param after what the code reports now
 * @param pinned options given from outside (the command line), which code does not change
 * @throws MAPACHE_OPTION_INVALID when the code's options are none
 */
export function adoptOptions(
  current: Settings,
  before: ReportedOptions | undefined,
  after: ReportedOptions,
  pinned: ReportedOptions
): Adoption {
  const was = normaliseOptions({ ...before, ...pinned })
  const is = normaliseOptions({ ...after, ...pinned })
  const settings: Record<string, unknown> = { ...current }
  const changed: string[] = []
  for (const name of CHANGEABLE) {
    const differs = before === undefined ? name in after && !(name in pinned) : !isDeepStrictEqual(was[name], is[name])
    if (!differs || isDeepStrictEqual(current[name], is[name])) continue
    settings[name] = is[name]
    changed.push(`${name} ${shown(current[name])} → ${shown(is[name])}`)
  }
  const held = FIXED.filter((name) => name in after && !isDeepStrictEqual(current[name], is[name]))
  return {
    settings: Object.freeze(settings as unknown as Settings),
    changed,
    held: held.map((name) => `${name} ${shown(current[name])} → ${shown(is[name])}`)
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value)
}
